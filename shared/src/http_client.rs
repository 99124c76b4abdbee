//! The HTTP client for services outside AWS: the API of Claude and the Slack webhook.

use std::time::Duration;

use reqwest::{Client, redirect::Policy};

/// A client that trusts the system's roots. These services chain to public roots that may change, and a proxy may add a
/// root of its own. Lambda keeps the system's roots current.
///
/// Reading the roots is slow. Create the client when the first request is sent.
pub fn client() -> Result<Client, reqwest::Error> {
    // The call fails only if a provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // A redirect would send the secret to another host.
    let client = Client::builder().redirect(Policy::none()).connect_timeout(Duration::from_secs(5));
    client.build()
}
