//! The rejections: each reason once, with its stable code and a message for people.

use strum::{EnumDiscriminants, EnumMessage, EnumString, IntoStaticStr, VariantArray, VariantNames};

use crate::domain::field_errors::truncate_echo;
pub use crate::domain::field_errors::{FieldError, InvalidFields};
use crate::domain::{
    bundle::status::BundleStatus,
    contact::ContactKind,
    money::{Currency, Money},
    names::named,
    org_key::KeyScope,
    points::Points,
};

/// The rejection of a request, because it is invalid or because a rule does not allow it. A rejected request changes
/// nothing.
///
/// The message says what happened and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, EnumDiscriminants)]
#[strum_discriminants(
    name(RefusalCode),
    doc = "The code of a rejection.",
    derive(EnumString, IntoStaticStr, VariantArray, VariantNames, EnumMessage, Hash, PartialOrd, Ord),
    strum(serialize_all = "snake_case")
)]
pub enum Rejection {
    /// The credentials are missing or wrong.
    #[error("Send the header Authorization: Bearer <secret> with a valid secret.")]
    Unauthorized,
    /// The body exceeds the maximum size.
    #[error("The body exceeds 256 KiB. Send a smaller body.")]
    BodyTooLarge,
    /// The body is not JSON.
    #[error("The body is not JSON: {}.", truncate_echo(detail.clone()))]
    UnreadableJson {
        /// The message of the parser.
        detail: String,
    },
    /// The credentials or the cursor belong to another org, or the credentials do not allow the operation.
    #[error("These credentials or this cursor belong to another org, or the credentials do not allow this operation.")]
    OtherOrg,
    /// The scope of the org key does not include the operation.
    #[error(
        "A key with the scope {} may not call this operation. Send a key with the scope {}.",
        scope.name(),
        scope_names(allowed)
    )]
    ScopeNotAllowed {
        /// The scope of the key.
        scope: KeyScope,
        /// The scopes whose keys may call the operation.
        allowed: &'static [KeyScope],
    },
    /// A field occurs twice in an object.
    #[error("The field {name} occurs twice. Send each field once.")]
    DuplicateField {
        /// The name of the field.
        name: String,
    },
    /// The body has a content encoding.
    #[error("The body is in the encoding {}. Send plain JSON in UTF-8.", truncate_echo(encoding.clone()))]
    UnsupportedEncoding {
        /// The encoding, as the request names it.
        encoding: String,
    },
    /// Fields are missing, unknown or invalid. All of them are reported.
    #[error("Some fields are missing, unknown or invalid. `errors` lists each of them.")]
    #[strum_discriminants(strum(serialize = "invalid_fields"))]
    Invalid(InvalidFields),
    /// The cursor is malformed, or belongs to another list, another org or another run.
    #[error("Pass a cursor exactly as this list returned it, or no cursor to start over.")]
    InvalidCursor,
    /// No route has this path.
    #[error("This path does not exist.")]
    UnknownRoute,
    /// The route does not support this method.
    #[error("This path supports only these methods: {allow}.")]
    MethodNotAllowed {
        /// The supported methods, as in an `Allow` header.
        allow: String,
    },
    /// The org does not exist, or is being deleted.
    #[error("There is no org with this id.")]
    UnknownOrg,
    /// The customer does not exist.
    #[error("The org has no customer with this id.")]
    UnknownCustomer,
    /// The order was not awarded.
    #[error("The org has awarded no order with this id.")]
    UnknownOrder,
    /// The org's loyalty programme is off, or was never set up.
    #[error("The loyalty programme of the org is disabled.")]
    LoyaltyDisabled,
    /// The org has no loyalty settings to return.
    #[error("The org has no loyalty settings yet. PUT them first.")]
    LoyaltyNotSet,
    /// The id was used by an earlier request with other content, or the order belongs to another customer.
    #[error("This id was used before, for a request with other content.")]
    IdempotencyMismatch,
    /// The request names a currency that is not the org's.
    #[error("The currency of the org is {}.", own.as_str())]
    OtherCurrency {
        /// The org's currency.
        own: Currency,
    },
    /// Nothing is left of the order to refund.
    #[error("Nothing is left of this order to refund.")]
    AlreadyRefunded,
    /// The refund exceeds what is left of the order.
    #[error("Only {} is left of this order to refund.", remaining.decimal())]
    RefundExceedsOrder {
        /// The unrefunded amount.
        remaining: Money,
    },
    /// The customer was erased, or the order is of the time before the erasure.
    #[error("The customer was erased. PUT the customer to enrol the id anew.")]
    CustomerErased,
    /// The loyalty card belongs to another customer.
    #[error("The loyalty card belongs to another customer.")]
    CardTaken,
    /// The telephone number or the address is shared by as many customers as may share it.
    #[error("{} other customers have this {} already, as many as may share it.", contact.holders_max(), contact.name())]
    ContactShared {
        /// What is shared.
        contact: ContactKind,
    },
    /// The bundle does not exist.
    #[error("The org has no bundle with this id.")]
    BundleNotFound,
    /// The bundle was deleted, and no other bundle has its id.
    #[error("The bundle with this id was deleted.")]
    BundleDeleted,
    /// The bundle is not active at the time of the order, or was created later.
    #[error("The bundle is {} at that time.", status.name())]
    BundleNotActive {
        /// The status at that time.
        status: BundleStatus,
    },
    /// The bundle has reached its `maxRedemptions`.
    #[error("The bundle is sold out.")]
    LimitReached,
    /// The customer has reached the `perCustomerLimit` of the bundle.
    #[error("The customer has reached the limit of this bundle.")]
    CustomerLimitReached,
    /// The operation was voided, or its order was cancelled, perhaps before it arrived.
    #[error("This operation was voided and is no longer possible.")]
    AlreadyVoided,
    /// The points of the order were redeemed already.
    #[error("The points of this order were redeemed already.")]
    AlreadyRedeemed,
    /// The customer has the largest number of holds.
    #[error("The customer has 20 holds. Release one, or wait until one lapses.")]
    TooManyHolds,
    /// The number of points is below the cost of the cheapest redemption tier.
    #[error("At least {} points can be redeemed.", minimum.0)]
    BelowMinimum {
        /// The minimum.
        minimum: Points,
    },
    /// The number of points exceeds the customer's balance, which may be negative.
    #[error("The customer has {} points.", balance.0)]
    InsufficientPoints {
        /// The customer's balance.
        balance: Points,
    },
    /// The number of points is not the cost of a redemption tier, and the mode is `exact`.
    #[error("Only the listed numbers of points can be redeemed.")]
    NotAListedAmount,
    /// The value of the points exceeds the order total.
    #[error("These points are worth {}, more than the order total.", value.decimal())]
    ExceedsOrderTotal {
        /// The value of the points.
        value: Money,
    },
    /// The key does not exist.
    #[error("The org has no key with this id.")]
    UnknownKey,
    /// The bundle was redeemed, perhaps voided since, and cannot be deleted.
    #[error("A bundle that was ever redeemed cannot be deleted. End it instead.")]
    BundleRedeemed,
    /// The new `maxRedemptions` is below the number of redemptions.
    #[error("The bundle is redeemed {used} times. maxRedemptions cannot be less.")]
    LimitBelowUsed {
        /// The number of redemptions.
        used: u64,
    },
    /// The org was not created as disposable.
    #[error("Only an org that was created disposable can be deleted.")]
    OrgNotDisposable,
    /// The org is being deleted.
    #[error("This org is being deleted. Create it again when the deletion is complete.")]
    OrgBeingDeleted,
    /// The request changes `disposable`, which is fixed at creation.
    #[error("Whether an org is disposable cannot be changed after its creation.")]
    DisposableIsFixed,
    /// The request has `If-None-Match: *`, and the resource exists.
    #[error("The resource exists already. Send the request without If-None-Match: * to replace it.")]
    AlreadyExists,
    /// A figure would leave the range of stored numbers, which is ±10^15 for a balance of points.
    #[error("This operation would take {figure} out of the range of stored numbers.")]
    OutOfRange {
        /// The name of the figure.
        figure: &'static str,
    },
}

named!(RefusalCode);

/// The names of scopes, as alternatives in a sentence.
fn scope_names(scopes: &[KeyScope]) -> String {
    scopes.iter().map(|scope| scope.name()).collect::<Vec<_>>().join(" or ")
}

/// The kind of a rejection, in the order of the checks. [`RejectionKind::Forbidden`] is checked again after
/// [`RejectionKind::Unreadable`], because only the parsed request shows which org it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectionKind {
    /// The credentials are missing or wrong.
    Unauthorized,
    /// The body is too large.
    TooLarge,
    /// No route has this path.
    UnknownRoute,
    /// The route does not support this method.
    MethodNotAllowed,
    /// The credentials do not allow the operation.
    Forbidden,
    /// The content encoding is not supported.
    UnsupportedEncoding,
    /// The body cannot be parsed.
    Unreadable,
    /// A field is invalid.
    Invalid,
    /// The resource does not exist.
    NotFound,
    /// The resource exists, but the request requires that it does not exist.
    PreconditionFailed,
    /// The state of the resource does not allow the operation.
    Conflict,
}

impl Rejection {
    /// The rejection of one invalid field.
    #[must_use]
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(field, message)].into())
    }

    /// The rejection of a field that occurs twice. A long name is truncated.
    #[must_use]
    pub fn duplicate_field(name: &str) -> Self {
        Self::DuplicateField { name: truncate_echo(name.to_owned()) }
    }

    /// The names of the invalid fields.
    #[must_use]
    pub fn fields(&self) -> Vec<&str> {
        match self {
            Self::Invalid(faults) => faults.listed().iter().map(|error| error.field.as_str()).collect(),
            Self::DuplicateField { name } => vec![name.as_str()],
            _ => Vec::new(),
        }
    }

    /// The code of the rejection.
    #[must_use]
    pub fn refusal(&self) -> RefusalCode {
        self.into()
    }

    /// The kind of the rejection.
    #[must_use]
    pub fn kind(&self) -> RejectionKind {
        self.refusal().kind()
    }

    /// The stable code for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.refusal().name()
    }
}

impl RefusalCode {
    /// What the code means, in one sentence.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        self.get_documentation().unwrap_or_default()
    }

    /// The kind of the rejections with this code.
    #[must_use]
    pub const fn kind(self) -> RejectionKind {
        match self {
            Self::Unauthorized => RejectionKind::Unauthorized,
            Self::BodyTooLarge => RejectionKind::TooLarge,
            Self::UnreadableJson | Self::DuplicateField => RejectionKind::Unreadable,
            Self::UnsupportedEncoding => RejectionKind::UnsupportedEncoding,
            Self::UnknownRoute => RejectionKind::UnknownRoute,
            Self::OtherOrg | Self::ScopeNotAllowed => RejectionKind::Forbidden,
            Self::Invalid | Self::InvalidCursor => RejectionKind::Invalid,
            Self::UnknownOrg
            | Self::UnknownCustomer
            | Self::UnknownOrder
            | Self::BundleNotFound
            | Self::UnknownKey
            | Self::LoyaltyNotSet => RejectionKind::NotFound,
            Self::MethodNotAllowed => RejectionKind::MethodNotAllowed,
            Self::AlreadyExists => RejectionKind::PreconditionFailed,
            Self::LoyaltyDisabled
            | Self::IdempotencyMismatch
            | Self::OtherCurrency
            | Self::AlreadyRefunded
            | Self::RefundExceedsOrder
            | Self::BundleDeleted
            | Self::BundleNotActive
            | Self::LimitReached
            | Self::CustomerLimitReached
            | Self::AlreadyVoided
            | Self::AlreadyRedeemed
            | Self::TooManyHolds
            | Self::BelowMinimum
            | Self::InsufficientPoints
            | Self::NotAListedAmount
            | Self::ExceedsOrderTotal
            | Self::BundleRedeemed
            | Self::LimitBelowUsed
            | Self::OrgNotDisposable
            | Self::OrgBeingDeleted
            | Self::DisposableIsFixed
            | Self::CustomerErased
            | Self::CardTaken
            | Self::ContactShared
            | Self::OutOfRange => RejectionKind::Conflict,
        }
    }
}
