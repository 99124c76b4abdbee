//! Identifiers given by the shop. Ids are parts of database keys, so the allowed characters are narrow: no id reaches
//! into the keys of another org, and no id contains the key separator `#`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The maximum length of an id, in characters, all of which are ASCII.
pub const ID_LENGTH_MAX: usize = 128;

/// The rule for ids, as an error message.
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
    /// The id of an org: one shop, the unit of isolation.
    OrgId
);
id!(
    /// The id of a customer of an org's loyalty programme.
    CustomerId
);
id!(
    /// The id of an order. An org has at most one award for each order.
    OrderId
);
id!(
    /// The id of a bundle. An order redeems a bundle at most once.
    BundleId
);
id!(
    /// The id of a product in a bundle.
    ProductId
);
id!(
    /// The id of a refund, unique within its order.
    RefundId
);
id!(
    /// The id of an adjustment, unique within its customer.
    AdjustmentId
);
id!(
    /// The id of a key that acts for one org.
    KeyId
);

impl AdjustmentId {
    /// An id from the source code. The caller guarantees that the text is an id.
    pub(super) fn from_static(id: &'static str) -> Self {
        Self(id.to_owned())
    }
}
