//! Enumerations by their names. `strum` declares each name once, and storage, requests and answers use that name.

/// Adds to an enumeration the list of its values, the list of their names, and serde by name. The enumeration must
/// derive `EnumString`, `IntoStaticStr`, `VariantArray` and `VariantNames`.
macro_rules! named {
    ($type:ty) => {
        impl $type {
            /// All values.
            pub const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

            /// The names of all values, in the order of [`Self::ALL`].
            pub const NAMES: &'static [&'static str] = <Self as strum::VariantNames>::VARIANTS;

            /// The name in stored items, requests and answers.
            #[must_use]
            pub fn name(self) -> &'static str {
                self.into()
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = <String as serde::Deserialize>::deserialize(deserializer)?;
                name.parse().map_err(|_| serde::de::Error::unknown_variant(&name, Self::NAMES))
            }
        }
    };
}

pub(crate) use named;
