//! Keeps web pages out of the local stack. Any page that is open in the developer's browser can send requests to a port
//! of this machine, and a name that a page's owner controls can be made to lead here.

use http::{
    HeaderMap, StatusCode,
    header::{self, HeaderName},
    request::Parts,
};
use shared::host::{Response, problem};

/// What a browser says about where a request comes from; no page can leave it out.
const FETCH_SITE_HEADER: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Which pages may send requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AllowedPages {
    /// Those of the same origin, which is this server itself.
    SameOrigin,
    /// None: nothing that answers here is for a browser.
    None,
}

/// What a request is refused with that is not sent to a loopback name, or that another page sends than may.
pub(crate) fn reject(request: &Parts, pages: AllowedPages) -> Option<Response> {
    let forbidden = |code, detail| Some(problem(StatusCode::FORBIDDEN, code, detail));
    let Some(host) = requested_host(request).filter(|host| is_loopback(host)) else {
        return forbidden("forbidden_host", "Only localhost, 127.0.0.1, [::1] and names under localhost lead here.");
    };
    if is_from_another_page(&request.headers, &host, pages) {
        return forbidden("forbidden_origin", "No web page of another origin may call the local stack.");
    }
    None
}

/// The host and port that a request is sent to, in lower case, where it names one alone.
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
        // The colons of an address in brackets are its own.
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
