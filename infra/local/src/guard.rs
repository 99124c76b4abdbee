//! Rejects requests that web pages send to the local stack.
//!
//! Any page that is open in the developer's browser can send requests to a port of this machine. The owner of a page
//! can also point a domain name at this machine.

use http::{
    HeaderMap, StatusCode,
    header::{self, HeaderName},
    request::Parts,
};
use shared::host::{Response, problem};

/// Header in which a browser reports the origin of a request. A page cannot suppress it.
const FETCH_SITE_HEADER: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The web pages that may send requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AllowedPages {
    /// Pages of any origin, because the caller has checked the origin.
    Any,
    /// Pages of the same origin, which is this server itself.
    SameOrigin,
    /// No pages, because no service on this port is meant for a browser.
    None,
}

/// The rejection of a request that is not addressed to a loopback name, or that comes from a page that is not allowed.
pub(crate) fn reject(request: &Parts, pages: AllowedPages) -> Option<Response> {
    let forbidden = |code, detail| Some(problem(StatusCode::FORBIDDEN, code, detail));
    let Some(host) = requested_host(request).filter(|host| is_loopback(host)) else {
        return forbidden("forbidden_host", "Only localhost, 127.0.0.1, [::1] and names under localhost lead here.");
    };
    if pages != AllowedPages::Any && is_from_another_page(&request.headers, &host, pages) {
        return forbidden("forbidden_origin", "No web page of another origin may call the local stack.");
    }
    None
}

/// The host and port that a request is addressed to, in lower case. `None` if the request names none or several.
fn requested_host(request: &Parts) -> Option<String> {
    let mut hosts = request.headers.get_all(header::HOST).iter();
    let host = hosts.next()?.to_str().ok()?.to_ascii_lowercase();
    let is_only = hosts.next().is_none();
    let agrees_with_target =
        request.uri.authority().is_none_or(|authority| authority.as_str().eq_ignore_ascii_case(&host));
    (is_only && agrees_with_target).then_some(host)
}

fn is_loopback(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        // The colons of an IPv6 address in brackets separate no port.
        Some((name, port)) if !port.ends_with(']') => (name, port),
        _ => (host, ""),
    };
    let is_local = matches!(name, "localhost" | "127.0.0.1" | "[::1]")
        || name.strip_suffix(".localhost").is_some_and(|label| !label.is_empty());
    is_local && port.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_from_another_page(headers: &HeaderMap, host: &str, pages: AllowedPages) -> bool {
    let own_origin = format!("http://{host}");
    let is_allowed_origin =
        |value: &[u8]| pages == AllowedPages::SameOrigin && value.eq_ignore_ascii_case(own_origin.as_bytes());
    let is_allowed_site = |value: &[u8]| match value {
        b"none" => true,
        b"same-origin" => pages == AllowedPages::SameOrigin,
        _ => false,
    };
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let mut sites = headers.get_all(FETCH_SITE_HEADER).iter();
    !origins.all(|value| is_allowed_origin(value.as_bytes())) || !sites.all(|value| is_allowed_site(value.as_bytes()))
}
