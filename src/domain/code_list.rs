//! How every closed list of codes is written: once, with its wire code and its Japanese and English labels.

/// Declares a closed code list: an enum whose variants carry a stable wire code and two labels.
///
/// The wire code is what schemas, the API and the ledger hold; the labels are what people read.
/// Parsing an unknown code fails with [`UnknownCode`], which names the list.
#[macro_export]
macro_rules! code_list {
    ($(#[$meta:meta])* $name:ident, $list:literal {
        $($(#[$vmeta:meta])* $variant:ident = $code:literal, $ja:literal, $en:literal;)+
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vmeta])* $variant,)+ }

        impl $name {
            /// Every code of the list, in the order it is declared.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stable wire code.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// The Japanese label, as pages and prints show it.
            pub const fn label_ja(self) -> &'static str {
                match self { $(Self::$variant => $ja,)+ }
            }

            /// The English label.
            pub const fn label_en(self) -> &'static str {
                match self { $(Self::$variant => $en,)+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::domain::code_list::UnknownCode;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($code => Ok(Self::$variant),)+
                    _ => Err($crate::domain::code_list::UnknownCode { list: $list }),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.code())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.code())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let code = std::borrow::Cow::<'de, str>::deserialize(from)?;
                code.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

/// A text that is no code of its list. The text itself is not kept: it may hold anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a code of the list {list}")]
pub struct UnknownCode {
    pub list: &'static str,
}
