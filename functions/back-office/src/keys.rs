//! API keys of an org: create, list, revoke.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use deserr::Deserr;
use serde::Serialize;
use shared::{
    auth,
    domain::{
        ids::{KeyId, OrgId},
        org_key::{self, KeyReference, KeyScope, OrgKey},
        rejection::Rejection,
        text::SingleLine,
        time,
    },
    error::InternalError,
    failure::Failure,
    host::{Context, List, Reply, retry_conflicts},
    inbound::{
        Call,
        cursor::{Cursor, CursorScope},
        fields::PageSize,
    },
};

use crate::pages::Listing;

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct CreateKeyRequest {
    org_id: OrgId,
    name: SingleLine,
    #[deserr(default)]
    scope: KeyScope,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CreatedKeyView {
    key_id: KeyId,
    name: SingleLine,
    scope: KeyScope,
    /// The text of the key, which only this answer contains.
    key: String,
}

/// Creates a key. Only the answer contains the text of the key. The store keeps a digest.
pub(crate) async fn post(context: &Context, call: Call) -> Result<Reply, Failure> {
    let CreateKeyRequest { org_id, name, scope } = call.read()?;
    let created = retry_conflicts(context.deadline, || async {
        let org = context.org_versioned(&org_id).await?;
        // Each attempt creates another key. A repeated call could not return the secret of a key whose answer was lost.
        let id = KeyId::try_from(format!("k{}", random_text::<9>()?)).map_err(Failure::internal)?;
        let reference = KeyReference { org: org_id.clone(), id: id.clone(), kind: scope.kind() };
        let text = org_key::format_key(&reference, &random_text::<32>()?);
        let (name, digest) = (name.clone(), auth::key_digest(&text));
        let record = OrgKey { id: id.clone(), name: name.clone(), scope, created_at: context.now, digest };
        context.store.add_key(&org, &record).await?;
        Ok::<_, Failure>(CreatedKeyView { key_id: id, name, scope, key: text })
    })
    .await?;
    Ok(Reply::created(&created))
}

/// Returns `N` random bytes from the operating system, as text that is valid in an id.
fn random_text<const N: usize>() -> Result<String, Failure> {
    let mut bytes = [0_u8; N];
    getrandom::fill(&mut bytes).map_err(|error| InternalError::caused_by("the system gives no random bytes", error))?;
    // The URL-safe alphabet is needed because an id may contain `_` and `-`, but not `/`.
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct RevokeKeyRequest {
    org_id: OrgId,
    key_id: KeyId,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RevokedKeyView {
    key_id: KeyId,
    revoked: bool,
}

pub(crate) async fn delete(context: &Context, call: Call) -> Result<Reply, Failure> {
    let RevokeKeyRequest { org_id, key_id } = call.read()?;
    let org = context.org_versioned(&org_id).await?.value;
    let revoked = retry_conflicts(context.deadline, || async {
        Ok::<_, Failure>(context.store.revoke_key(&org, &key_id).await?)
    })
    .await?;
    if revoked { Ok(Reply::ok(&RevokedKeyView { key_id, revoked })) } else { Err(Rejection::UnknownKey.into()) }
}

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct KeysPage {
    org_id: OrgId,
    #[deserr(default)]
    limit: PageSize,
    #[deserr(default)]
    cursor: Option<Cursor>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OrgKeyView {
    key_id: KeyId,
    name: SingleLine,
    scope: KeyScope,
    #[serde(serialize_with = "time::serialize")]
    created_at: DateTime<Utc>,
}

pub(crate) async fn list(context: &Context, call: Call) -> Result<Reply, Failure> {
    let operation = call.operation.name;
    let KeysPage { org_id, limit, cursor } = call.read()?;
    let list = List::begin(CursorScope { operation, org: org_id.as_str(), qualifier: "" }, limit, cursor)?;
    context.org_versioned(&org_id).await?;
    let page = context.store.org_keys(&org_id, list.after(), list.size()).await?;
    let listing = Listing { org: Some(&org_id), name: "keyId", filters: false };
    let view = |OrgKey { id: key_id, name, scope, created_at, digest: _ }| {
        Some(OrgKeyView { key_id, name, scope, created_at })
    };
    Ok(list.answer("keys", page, |key| listing.row(key, view)))
}
