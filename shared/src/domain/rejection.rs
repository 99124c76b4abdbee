//! Why a rule says no: each reason once, with its stable code and a sentence for people.

use crate::domain::{
    bundle::status::BundleStatus,
    money::{Currency, Money},
    points::Points,
};

/// A valid request that a rule rejects, or a request that is not valid. Nothing was changed.
///
/// The text says what happened and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Rejection {
    /// No credentials, or wrong ones.
    #[error("Send the header Authorization: Bearer <secret> with a valid secret.")]
    Unauthorized,
    /// The body is larger than is read.
    #[error("The body may have at most 256 KiB.")]
    BodyTooLarge,
    /// The body is not JSON.
    #[error("The body is not JSON: {}.", truncate_echo(detail.clone()))]
    UnreadableJson {
        /// What the parser says.
        detail: String,
    },
    /// The credentials are good, but not for this org.
    #[error("These credentials, or this cursor, belong to another org or do not allow this operation.")]
    OtherOrg,
    /// A field that is given twice.
    #[error("The field {name} is given twice.")]
    DuplicateField {
        /// Its name.
        name: String,
    },
    /// The body is in an encoding.
    #[error("The body is in the encoding {}. Send plain JSON in UTF-8.", truncate_echo(encoding.clone()))]
    UnsupportedEncoding {
        /// Its name, as the request gives it.
        encoding: String,
    },
    /// Fields that are missing, unknown or wrong; all of them.
    #[error("Some fields are missing, unknown or invalid. `errors` lists each of them.")]
    #[strum(serialize = "invalid_fields")]
    Invalid(InvalidFields),
    /// A cursor that this list did not give.
    #[error("Pass a cursor exactly as this list returned it, or no cursor to start over.")]
    InvalidCursor,
    /// No such route.
    #[error("There is nothing at this path.")]
    UnknownRoute,
    /// The route exists, for other methods.
    #[error("This path takes {allow}.")]
    MethodNotAllowed {
        /// Those it takes, as in an `Allow` header.
        allow: String,
    },
    /// No such org.
    #[error("There is no org with this id.")]
    UnknownOrg,
    /// No such customer.
    #[error("The org has no customer with this id.")]
    UnknownCustomer,
    /// The order was never awarded.
    #[error("The org has awarded no order with this id.")]
    UnknownOrder,
    /// The org's loyalty programme is off or was never set up.
    #[error("The loyalty programme of the org is disabled.")]
    LoyaltyDisabled,
    /// The org has no loyalty settings to read.
    #[error("The org has no loyalty settings yet. PUT them first.")]
    LoyaltyNotSet,
    /// The name of the operation is taken by one with other content.
    #[error("This id was used before, for a request with other content.")]
    IdempotencyMismatch,
    /// It names another currency than the org's.
    #[error("The currency of the org is {}.", own.as_str())]
    OtherCurrency {
        /// The org's.
        own: Currency,
    },
    /// Nothing is left of the order to refund.
    #[error("Nothing is left of this order to refund.")]
    AlreadyRefunded,
    /// More was asked for than is left of the order.
    #[error("Only {} is left of this order to refund.", remaining.decimal())]
    RefundExceedsOrder {
        /// What is left.
        remaining: Money,
    },
    /// The org has no such bundle.
    #[error("The org has no bundle with this id.")]
    BundleNotFound,
    /// The org had a bundle with this id, and deleted it.
    #[error("The bundle with this id was deleted.")]
    BundleDeleted,
    /// The bundle is not on at that time.
    #[error("The bundle is {} at that time.", status.name())]
    BundleNotActive {
        /// What it is instead.
        status: BundleStatus,
    },
    /// The bundle is sold out.
    #[error("The bundle is sold out.")]
    LimitReached,
    /// The customer has redeemed the bundle as often as one may.
    #[error("The customer has reached the limit of this bundle.")]
    CustomerLimitReached,
    /// It was voided, perhaps before it came.
    #[error("This was voided and cannot be done any more.")]
    AlreadyVoided,
    /// Fewer points than can be redeemed at all.
    #[error("At least {} points can be redeemed.", minimum.0)]
    BelowMinimum {
        /// The fewest.
        minimum: Points,
    },
    /// More points than the customer has.
    #[error("The customer has {} points.", balance.0)]
    InsufficientPoints {
        /// What the customer has.
        balance: Points,
    },
    /// Only the listed numbers of points can be redeemed.
    #[error("Only a listed number of points can be redeemed.")]
    NotAListedAmount,
    /// The points are worth more than the order comes to.
    #[error("These points are worth {}, more than the order total.", value.decimal())]
    ExceedsOrderTotal {
        /// What they are worth.
        value: Money,
    },
    /// The org has no such key.
    #[error("The org has no key with this id.")]
    UnknownKey,
    /// A bundle that was redeemed stays.
    #[error("A bundle that was ever redeemed cannot be deleted. End it instead.")]
    BundleRedeemed,
    /// A limit below what is used already.
    #[error("The bundle is redeemed {used} times. maxRedemptions cannot be less.")]
    LimitBelowUsed {
        /// How often the bundle is redeemed.
        used: u64,
    },
    /// The org was not created disposable.
    #[error("Only an org that was created disposable can be deleted.")]
    OrgNotDisposable,
    /// The org is being deleted.
    #[error("This org is being deleted. Create it again when the deletion is complete.")]
    OrgBeingDeleted,
    /// Whether an org is disposable was decided when it was created.
    #[error("Whether an org is disposable cannot be changed after its creation.")]
    DisposableIsFixed,
    /// `If-None-Match: *`, and it is there.
    #[error("It exists already, and If-None-Match: * asks to create it only.")]
    AlreadyExists,
    /// A sum beyond what is kept.
    #[error("This would take {figure} beyond the largest number that is stored.")]
    OutOfRange {
        /// Which.
        figure: &'static str,
    },
}

/// One field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Its path, as `tiers[2].threshold`; empty for the body itself.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

impl FieldError {
    /// A fault of one field. What a request names may be long, and is cut.
    #[must_use]
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: truncate_echo(field.into()), message: truncate_echo(message.into()) }
    }
}

/// What is wrong with the fields of a request: an answer lists so many faults, and says how many there are beside.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InvalidFields {
    listed: Vec<FieldError>,
    more: usize,
}

impl InvalidFields {
    /// How many are listed, at most.
    pub const LISTED_MAX: usize = 100;

    /// Adds one, to the list or to the number of those beside.
    pub fn push(&mut self, fault: FieldError) {
        if self.listed.len() < Self::LISTED_MAX {
            self.listed.push(fault);
        } else {
            self.more += 1;
        }
    }

    /// These, and then others.
    #[must_use]
    pub fn merge(mut self, others: Self) -> Self {
        let more = others.more;
        others.listed.into_iter().for_each(|fault| self.push(fault));
        self.more += more;
        self
    }

    /// Those that are listed.
    #[must_use]
    pub fn listed(&self) -> &[FieldError] {
        &self.listed
    }

    /// How many there are beside.
    #[must_use]
    pub const fn unlisted(&self) -> usize {
        self.more
    }
}

impl From<Vec<FieldError>> for InvalidFields {
    fn from(faults: Vec<FieldError>) -> Self {
        let mut all = Self::default();
        for fault in faults {
            all.push(fault);
        }
        all
    }
}

/// The longest text of a request's own that an answer repeats, in characters.
const ECHOED_CHARS_MAX: usize = 200;

fn truncate_echo(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(ECHOED_CHARS_MAX) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// What sort of no it is, in the order in which they are checked; but what is another org's only shows in what was read, so
/// that [`RejectionKind::Forbidden`] is checked once more after [`RejectionKind::Unreadable`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectionKind {
    /// Say who you are.
    Unauthorized,
    /// Say less.
    TooLarge,
    /// There is nothing at this path.
    UnknownRoute,
    /// Not by this method.
    MethodNotAllowed,
    /// Not yours.
    Forbidden,
    /// Not in this encoding.
    UnsupportedEncoding,
    /// Say it so that it can be read.
    Unreadable,
    /// Not that way.
    Invalid,
    /// Not here.
    NotFound,
    /// There already.
    PreconditionFailed,
    /// Not now.
    Conflict,
}

impl Rejection {
    /// One field that is wrong.
    #[must_use]
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(field, message)].into())
    }

    /// A field that is given twice; its name may be long, and is cut.
    #[must_use]
    pub fn duplicate_field(name: &str) -> Self {
        Self::DuplicateField { name: truncate_echo(name.to_owned()) }
    }

    /// The fields that are wrong, if any are.
    #[must_use]
    pub fn fields(&self) -> Vec<&str> {
        match self {
            Self::Invalid(faults) => faults.listed.iter().map(|error| error.field.as_str()).collect(),
            Self::DuplicateField { name } => vec![name.as_str()],
            _ => Vec::new(),
        }
    }

    /// What sort of no it is.
    #[must_use]
    pub const fn kind(&self) -> RejectionKind {
        match self {
            Self::Unauthorized => RejectionKind::Unauthorized,
            Self::BodyTooLarge => RejectionKind::TooLarge,
            Self::UnreadableJson { .. } | Self::DuplicateField { .. } => RejectionKind::Unreadable,
            Self::UnsupportedEncoding { .. } => RejectionKind::UnsupportedEncoding,
            Self::UnknownRoute => RejectionKind::UnknownRoute,
            Self::OtherOrg => RejectionKind::Forbidden,
            Self::Invalid(_) | Self::InvalidCursor => RejectionKind::Invalid,
            Self::UnknownOrg
            | Self::UnknownCustomer
            | Self::UnknownOrder
            | Self::BundleNotFound
            | Self::UnknownKey
            | Self::LoyaltyNotSet => RejectionKind::NotFound,
            Self::MethodNotAllowed { .. } => RejectionKind::MethodNotAllowed,
            Self::AlreadyExists => RejectionKind::PreconditionFailed,
            Self::LoyaltyDisabled
            | Self::IdempotencyMismatch
            | Self::OtherCurrency { .. }
            | Self::AlreadyRefunded
            | Self::RefundExceedsOrder { .. }
            | Self::BundleDeleted
            | Self::BundleNotActive { .. }
            | Self::LimitReached
            | Self::CustomerLimitReached
            | Self::AlreadyVoided
            | Self::BelowMinimum { .. }
            | Self::InsufficientPoints { .. }
            | Self::NotAListedAmount
            | Self::ExceedsOrderTotal { .. }
            | Self::BundleRedeemed
            | Self::LimitBelowUsed { .. }
            | Self::OrgNotDisposable
            | Self::OrgBeingDeleted
            | Self::DisposableIsFixed
            | Self::OutOfRange { .. } => RejectionKind::Conflict,
        }
    }

    /// The stable code, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.into()
    }
}
