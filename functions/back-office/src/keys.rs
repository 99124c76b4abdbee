//! API keys of an org: create, list, revoke.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use shared::{
    auth,
    domain::{
        ids::{KeyId, OrgId},
        org_key::{self, KeyReference, KeyScope, OrgKey},
        rejection::{RefusalCode, Rejection},
        text::SingleLine,
    },
    error::InternalError,
    failure::Failure,
    host::{
        Context, Declared, Handler, List, ListOperation, PageRequest, Reply, RowPage, Success, Tag, UnreadReason,
        retry_conflicts,
    },
    inbound::{
        cursor::Cursor,
        fields::PageSize,
        operation::{Callers, Operation},
    },
    telemetry::metric::Metric,
};

use crate::pages::{ListRow, Listing};

/// Creates a key. Only the answer contains the text of the key. The store keeps a digest.
pub struct CreateKey;

/// A new key.
#[declare::request]
pub struct CreateKeyRequest {
    /// The org for which the key acts.
    pub org_id: OrgId,
    /// The name for people.
    pub name: SingleLine,
    /// What the holder of the key may do, which cannot be changed later. A key in a public web page is public, so only
    /// `till` may be there.
    #[declare(default)]
    #[serde(skip_serializing_if = "KeyScope::is_manage")]
    #[schemars(extend("default" = KeyScope::default()))]
    pub scope: KeyScope,
}

/// The new key.
#[declare::answer]
pub struct CreatedKeyAnswer {
    /// The id of the key.
    pub key_id: KeyId,
    /// The name for people.
    pub name: SingleLine,
    /// What the holder of the key may do.
    pub scope: KeyScope,
    /// The text of the key, which is the bearer token. Only this answer contains the text.
    pub key: String,
}

impl Declared for CreateKey {
    const OPERATION: Operation = Operation::new("postKey", "POST", "/orgs/{orgId}/keys").callers(Callers::DEPLOYMENT);
    const TAG: Tag = Tag::BackOffice;
    const SUMMARY: &'static str = "Create an org key";
    const DESCRIPTION: &'static str = "Only the answer contains the text of the key. Each call creates another key, so \
        list the keys and revoke one whose answer was lost.";
    const SUCCESS: &'static [Success] = &[Success::Created];
    const REFUSALS: &'static [RefusalCode] = &[RefusalCode::UnknownOrg];
    const METRICS: &'static [Metric] = &[];

    type Request = CreateKeyRequest;
    type Answer = CreatedKeyAnswer;
}

impl Handler for CreateKey {
    async fn handle(context: &Context, request: CreateKeyRequest) -> Result<Reply<CreatedKeyAnswer>, Failure> {
        let CreateKeyRequest { org_id, name, scope } = request;
        let created = retry_conflicts(context.deadline, || async {
            let org = context.org_versioned(&org_id).await?;
            // Each attempt creates another key. A repeated call could not return the secret of a key whose answer was
            // lost.
            let id = KeyId::try_from(format!("k{}", random_text::<9>()?)).map_err(Failure::internal)?;
            let reference = KeyReference { org: org_id.clone(), id: id.clone(), kind: scope.kind() };
            let text = org_key::format_key(&reference, &random_text::<32>()?);
            let (name, digest) = (name.clone(), auth::key_digest(&text));
            let record = OrgKey { id: id.clone(), name: name.clone(), scope, created_at: context.now, digest };
            context.store.add_key(&org, &record).await?;
            Ok::<_, Failure>(CreatedKeyAnswer { key_id: id, name, scope, key: text })
        })
        .await?;
        Ok(Reply::created(created))
    }
}

/// Returns `N` random bytes from the operating system, as text that is valid in an id.
fn random_text<const N: usize>() -> Result<String, Failure> {
    let mut bytes = [0_u8; N];
    getrandom::fill(&mut bytes).map_err(|error| InternalError::caused_by("the system gives no random bytes", error))?;
    // The URL-safe alphabet is needed because an id may contain `_` and `-`, but not `/`.
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

/// Revokes a key.
pub struct DeleteKey;

/// One key.
#[declare::request]
pub struct DeleteKeyRequest {
    /// The org of the key.
    pub org_id: OrgId,
    /// The key.
    pub key_id: KeyId,
}

/// A revoked key.
#[declare::answer]
pub struct RevokedKeyAnswer {
    /// The id of the key.
    pub key_id: KeyId,
    /// Always true.
    pub revoked: bool,
}

impl Declared for DeleteKey {
    const OPERATION: Operation =
        Operation::new("deleteKey", "DELETE", "/orgs/{orgId}/keys/{keyId}").callers(Callers::DEPLOYMENT);
    const TAG: Tag = Tag::BackOffice;
    const SUMMARY: &'static str = "Revoke an org key";
    const DESCRIPTION: &'static str = "A process that used the key within the last minute may accept it for up to \
        another minute.";
    const SUCCESS: &'static [Success] = &[Success::Done];
    const REFUSALS: &'static [RefusalCode] = &[RefusalCode::UnknownOrg, RefusalCode::UnknownKey];
    const METRICS: &'static [Metric] = &[];

    type Request = DeleteKeyRequest;
    type Answer = RevokedKeyAnswer;
}

impl Handler for DeleteKey {
    async fn handle(context: &Context, request: DeleteKeyRequest) -> Result<Reply<RevokedKeyAnswer>, Failure> {
        let DeleteKeyRequest { org_id, key_id } = request;
        let org = context.org_versioned(&org_id).await?.value;
        let revoked = retry_conflicts(context.deadline, || async {
            Ok::<_, Failure>(context.store.revoke_key(&org, &key_id).await?)
        })
        .await?;
        if revoked { Ok(Reply::done(RevokedKeyAnswer { key_id, revoked })) } else { Err(Rejection::UnknownKey.into()) }
    }
}

/// Lists the keys of an org, without their texts.
pub struct ListKeys;

/// A page of an org's keys.
#[declare::request]
pub struct KeysRequest {
    /// The org.
    pub org_id: OrgId,
    /// The largest number of keys. Absent: 50.
    #[declare(default)]
    pub limit: PageSize,
    /// The `cursor` of the page before. Absent: the list from its start.
    pub cursor: Option<Cursor>,
}

/// Keys of an org.
#[declare::answer]
pub struct KeysAnswer {
    /// The keys with the scope `manage` by id, then the others by id.
    pub keys: Vec<KeyRow>,
    /// Where the list continues. Absent on the last page.
    pub cursor: Option<String>,
}

/// A key in a list.
pub type KeyRow = ListRow<OrgKeyView, UnreadableKey>;

/// A key that cannot be read, and that is therefore not accepted.
#[declare::answer]
pub struct UnreadableKey {
    /// The id of the key.
    pub key_id: KeyId,
    /// Why the key cannot be read.
    pub error: UnreadReason,
}

impl From<KeyId> for UnreadableKey {
    fn from(key_id: KeyId) -> Self {
        Self { key_id, error: UnreadReason::Internal }
    }
}

/// A key of an org, without its text.
#[declare::answer]
pub struct OrgKeyView {
    /// The id of the key.
    pub key_id: KeyId,
    /// The name for people.
    pub name: SingleLine,
    /// What the holder of the key may do.
    pub scope: KeyScope,
    /// When the key was created.
    pub created_at: DateTime<Utc>,
}

impl From<OrgKey> for OrgKeyView {
    fn from(OrgKey { id: key_id, name, scope, created_at, digest: _ }: OrgKey) -> Self {
        Self { key_id, name, scope, created_at }
    }
}

impl Declared for ListKeys {
    const OPERATION: Operation = Operation::new("listKeys", "GET", "/orgs/{orgId}/keys").callers(Callers::DEPLOYMENT);
    const TAG: Tag = Tag::BackOffice;
    const SUMMARY: &'static str = "List the keys of an org";
    const DESCRIPTION: &'static str = "";
    const SUCCESS: &'static [Success] = &[Success::Done];
    const REFUSALS: &'static [RefusalCode] = &[RefusalCode::InvalidCursor, RefusalCode::UnknownOrg];
    const METRICS: &'static [Metric] = &[];

    type Request = KeysRequest;
    type Answer = KeysAnswer;
}

impl ListOperation for ListKeys {
    type Row = KeyRow;

    fn page(request: &KeysRequest) -> PageRequest<'_> {
        PageRequest {
            org: request.org_id.as_str(),
            qualifier: "",
            limit: request.limit,
            cursor: request.cursor.clone(),
        }
    }

    async fn rows(context: &Context, request: &KeysRequest, list: &List<'_>) -> Result<RowPage<KeyRow>, Failure> {
        context.org_versioned(&request.org_id).await?;
        let page = context.store.org_keys(&request.org_id, list.after(), list.size()).await?;
        let listing = Listing { org: Some(&request.org_id), name: "keyId", filters: false };
        Ok(RowPage::of(page, |key| listing.row(key, |key| Some(OrgKeyView::from(key)))))
    }

    fn answer(keys: Vec<KeyRow>, cursor: Option<String>) -> KeysAnswer {
        KeysAnswer { keys, cursor }
    }
}
