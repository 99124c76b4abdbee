//! How what is neither AWS nor the caller is reached over HTTP: the API that is asked about churn, the channel that is told.

use std::time::Duration;

use reqwest::{Client, redirect::Policy};

/// A client of the system's trusted roots: such services chain to public roots that may change, whatever proxy is in between
/// has its own, and Lambda's system keeps them current. Reading them takes long, so it is to be made when the first request
/// is sent, and not at all where none is.
pub fn client() -> Result<Client, reqwest::Error> {
    // Already installed is installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // A redirect would carry what is secret elsewhere.
    let client = Client::builder().redirect(Policy::none()).connect_timeout(Duration::from_secs(5));
    client.build()
}
