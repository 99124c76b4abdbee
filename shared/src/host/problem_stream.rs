//! Problem objects for requests that the HTTP library itself rejects.
//!
//! The library rejects a request with a malformed head, a URL that is too long or headers that are too large. It
//! answers with a bare status and closes the connection. [`ProblemStream`] replaces this answer by a problem object.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::answer::problem_body;

/// A connection that replaces bare rejections by problem objects. Answers of the service are never replaced, because
/// every one has a body.
pub(super) struct ProblemStream<S> {
    stream: S,
    /// The bytes that replace a rejection, and the number of bytes written so far.
    replacement: Option<(Vec<u8>, usize)>,
}

impl<S> ProblemStream<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, replacement: None }
    }
}

/// The response that replaces a bare rejection of the library. `None` for every other response.
fn problem_for(head: &[u8]) -> Option<Vec<u8>> {
    let head = std::str::from_utf8(head).ok()?;
    let mut lines = head.strip_suffix("\r\n\r\n")?.split("\r\n");
    let status = lines.next()?.strip_prefix("HTTP/1.1 ")?.get(..3)?;
    let status = StatusCode::from_bytes(status.as_bytes()).ok().filter(StatusCode::is_client_error)?;
    if !lines.any(|line| line == "content-length: 0") {
        return None;
    }
    let (code, detail) = match status {
        StatusCode::URI_TOO_LONG => ("uri_too_long", "The URL is too long."),
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => ("headers_too_large", "The headers are too many or too long."),
        _ => ("malformed_request", "The request is not valid HTTP/1.1."),
    };
    let body = problem_body(status.as_u16(), code, detail).to_string();
    let length = body.len();
    Some(
        format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/problem+json\r\ncache-control: no-store\r\n\
             content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        )
        .into_bytes(),
    )
}

impl<S: AsyncRead + Unpin> AsyncRead for ProblemStream<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for ProblemStream<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.replacement.is_none() {
            this.replacement = problem_for(bytes).map(|problem| (problem, 0));
        }
        let Some((problem, written)) = &mut this.replacement else {
            return Pin::new(&mut this.stream).poll_write(cx, bytes);
        };
        while let Some(rest) = problem.get(*written..).filter(|rest| !rest.is_empty()) {
            match ready!(Pin::new(&mut this.stream).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                more => *written += more,
            }
        }
        this.replacement = None;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
