//! Requests that scripts of web pages send to another origin, outside Lambda. In Lambda the function URL answers preflight
//! requests and adds the headers, by its `Cors` in the template.

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts};

use super::url::{Body, Response};

/// Which pages may call, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cors {
    /// The origins of the pages, such as `https://till.example`. `*` stands for every origin.
    pub origins: Vec<String>,
    /// The methods that they may use.
    pub methods: Vec<String>,
    /// The request headers that they may send.
    pub headers: Vec<String>,
    /// The response headers that they may read.
    pub exposed: Vec<String>,
    /// The number of seconds for which a browser keeps the answer to a preflight request.
    pub max_age: u32,
}

impl Cors {
    /// What pages of these origins may do on a port. `origins` are separated by commas. `None` without origins.
    #[must_use]
    pub fn of_origins(origins: &str) -> Option<Self> {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let origins: Vec<String> =
            origins.split(',').map(str::trim).filter(|origin| !origin.is_empty()).map(str::to_owned).collect();
        (!origins.is_empty()).then(|| Self {
            origins,
            methods: texts(&["GET", "POST", "PUT", "PATCH", "DELETE"]),
            headers: texts(&["authorization", "content-type", "if-none-match"]),
            exposed: texts(&["retry-after"]),
            max_age: 3_600,
        })
    }

    /// The origin of the page that sends a request, if the page may call.
    #[must_use]
    pub fn allowed_origin<'a>(&self, headers: &'a HeaderMap) -> Option<&'a HeaderValue> {
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let origin = origins.next().filter(|_| origins.next().is_none())?;
        self.origins.iter().any(|allowed| allowed == "*" || allowed.as_bytes() == origin.as_bytes()).then_some(origin)
    }

    /// The answer to a preflight request, by which a browser asks whether a page may call. `None` for any other request.
    #[must_use]
    pub fn preflight(&self, request: &Parts) -> Option<Response> {
        let asks = request.method == Method::OPTIONS
            && request.headers.contains_key(header::ORIGIN)
            && request.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if !asks {
            return None;
        }
        let mut response = Response::new(Body::default());
        *response.status_mut() = StatusCode::NO_CONTENT;
        if self.allow(&request.headers, &mut response) {
            let mut set = |name: HeaderName, value: &str| {
                if let Ok(value) = HeaderValue::from_str(value) {
                    response.headers_mut().insert(name, value);
                }
            };
            set(header::ACCESS_CONTROL_ALLOW_METHODS, &self.methods.join(","));
            set(header::ACCESS_CONTROL_ALLOW_HEADERS, &self.headers.join(","));
            set(header::ACCESS_CONTROL_MAX_AGE, &self.max_age.to_string());
        }
        Some(response)
    }

    /// Lets the page that sent a request read the response, if the page may call. Returns whether it may.
    pub fn allow(&self, request: &HeaderMap, response: &mut Response) -> bool {
        let headers = response.headers_mut();
        headers.append(header::VARY, HeaderValue::from_static("origin"));
        let Some(origin) = self.allowed_origin(request) else { return false };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        if let Ok(exposed) = HeaderValue::from_str(&self.exposed.join(",")) {
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        }
        true
    }
}
