//! Keeps web pages out of the local stack. Any page that is open in the developer's browser can send requests to a port
//! of this machine, and a name that a page's owner controls can be made to lead here.

use http::{
    HeaderMap, StatusCode,
    header::{self, HeaderName},
    request::Parts,
};
use shared::host::{Response, problem};

/// What a browser says about where a request comes from; no page can leave it out.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Which pages may send requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pages {
    /// Those of the same origin, which is this server itself.
    Own,
    /// None: nothing that answers here is for a browser.
    None,
}

/// What a request is refused with that is not sent to a loopback name, or that another page sends than may.
pub(crate) fn refusal(request: &Parts, pages: Pages) -> Option<Response> {
    let refused = |code, detail| Some(problem(StatusCode::FORBIDDEN, code, detail));
    let Some(host) = host(request).filter(|host| is_loopback(host)) else {
        return refused("forbidden_host", "Only localhost, 127.0.0.1, [::1] and names under localhost lead here.");
    };
    if is_from_elsewhere(&request.headers, &host, pages) {
        return refused("forbidden_origin", "No web page of another origin may call the local stack.");
    }
    None
}

/// The host and port that a request is sent to, in lower case, where it names one alone.
fn host(request: &Parts) -> Option<String> {
    let mut named = request.headers.get_all(header::HOST).iter();
    let host = named.next()?.to_str().ok()?.to_ascii_lowercase();
    let is_alone = named.next().is_none();
    let in_target = request.uri.authority().is_none_or(|authority| authority.as_str().eq_ignore_ascii_case(&host));
    (is_alone && in_target).then_some(host)
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

fn is_from_elsewhere(headers: &HeaderMap, host: &str, pages: Pages) -> bool {
    let own = format!("http://{host}");
    let is_own = |value: &[u8]| pages == Pages::Own && value.eq_ignore_ascii_case(own.as_bytes());
    let is_near = |value: &[u8]| match value {
        b"none" => true,
        b"same-origin" => pages == Pages::Own,
        _ => false,
    };
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let mut sites = headers.get_all(FETCH_SITE).iter();
    !origins.all(|value| is_own(value.as_bytes())) || !sites.all(|value| is_near(value.as_bytes()))
}
