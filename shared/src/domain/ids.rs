//! Identifiers given by the shop. They are parts of database keys, so what they may hold is narrow: no id can reach
//! into another org's keys, and none contains the key separator `#`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Longest id, in characters (all of them ASCII).
const ID_LENGTH_MAX: usize = 128;

/// Why a text is not an id.
pub const ID_RULE: &str = "must be 1 to 128 characters of A-Z a-z 0-9 . _ : @ + - and not \".\" or \"..\"";

fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= ID_LENGTH_MAX
        && text != "."
        && text != ".."
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._:@+-".contains(&byte))
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl $name {
            /// The id as the shop wrote it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = &'static str;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                if is_id(&text) { Ok(Self(text)) } else { Err(ID_RULE) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// A shop: the unit of isolation.
    OrgId
);
id!(
    /// A member of a shop's programme.
    CustomerId
);
id!(
    /// An order; within its org it names its award.
    OrderId
);
id!(
    /// A bundle; with an order it names a redemption.
    BundleId
);
id!(
    /// Something that a bundle holds.
    ProductId
);
id!(
    /// A refund; together with its order it names what was taken back.
    RefundId
);
id!(
    /// An adjustment; together with its customer it names points given or taken by hand.
    AdjustmentId
);
id!(
    /// A key that acts for one org.
    KeyId
);
