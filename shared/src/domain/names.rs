//! Enumerations by their names: each name is declared once, by `strum`, and holds for storage, requests and answers.

/// Gives an enumeration that derives `EnumString`, `IntoStaticStr`, `VariantArray` and `VariantNames` a list of its values,
/// their names, and `serde` by name.
macro_rules! named {
    ($type:ty) => {
        impl $type {
            /// Every value.
            pub const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

            /// The name of every value, in the same order.
            pub const NAMES: &'static [&'static str] = <Self as strum::VariantNames>::VARIANTS;

            /// The name, as stored, requested and answered.
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
