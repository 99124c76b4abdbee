//! Attributes for the types of an operation's request and answer.
//!
//! One declaration of a type drives its decoding, its JSON and its schema in the API documents. The attributes only add
//! derives and their options, so that no two of them can disagree:
//!
//! | attribute | derives |
//! |---|---|
//! | [`macro@request`] | `Deserr`, `Serialize`, `JsonSchema` |
//! | [`macro@answer`] | `Serialize`, `Deserialize`, `JsonSchema` |

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::{ToTokens, quote};
use syn::{Data, DeriveInput, Field, Fields, GenericArgument, PathArguments, Type, parse_macro_input, parse_quote};

/// The request of an operation, or a part of one: members in `camelCase`, all faults reported, unknown members
/// rejected.
///
/// A field of type `Option` may be absent or null. Options of a field:
///
/// - `#[declare(default)]`: an absent field has the default of its type.
/// - `#[declare(default = value)]`: an absent field has this value.
/// - `#[declare(rename = "name")]`: the name of the member, where `camelCase` does not give it.
#[proc_macro_attribute]
pub fn request(_options: TokenStream, item: TokenStream) -> TokenStream {
    let input = parse_macro_input!(item as DeriveInput);
    expand(input, request_field, &request_attributes()).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// The answer of an operation, or a part of one: members in `camelCase`, names of variants in `snake_case`. An absent
/// value is left out. Instants have exactly three decimals.
///
/// The option `#[declare(rename = "name")]` of a field gives its member another name.
#[proc_macro_attribute]
pub fn answer(_options: TokenStream, item: TokenStream) -> TokenStream {
    let input = parse_macro_input!(item as DeriveInput);
    let case = if matches!(input.data, Data::Enum(_)) { "snake_case" } else { "camelCase" };
    expand(input, answer_field, &answer_attributes(case)).unwrap_or_else(syn::Error::into_compile_error).into()
}

fn request_attributes() -> Tokens {
    quote! {
        #[derive(Debug, Clone, ::deserr::Deserr, ::serde::Serialize, ::shared::schema::schemars::JsonSchema)]
        #[deserr(rename_all = camelCase, deny_unknown_fields)]
        #[serde(rename_all = "camelCase")]
        #[schemars(crate = "::shared::schema::schemars", deny_unknown_fields)]
    }
}

fn answer_attributes(case: &str) -> Tokens {
    quote! {
        #[derive(
            Debug, Clone, PartialEq, ::serde::Serialize, ::serde::Deserialize, ::shared::schema::schemars::JsonSchema,
        )]
        #[serde(rename_all = #case)]
        #[schemars(crate = "::shared::schema::schemars")]
    }
}

/// The type with `attributes`, and with the attributes that `of_field` gives each field of a struct.
fn expand(
    mut input: DeriveInput,
    of_field: fn(&Field, &Options) -> Tokens,
    attributes: &Tokens,
) -> syn::Result<Tokens> {
    if let Data::Struct(data) = &mut input.data
        && let Fields::Named(fields) = &mut data.fields
    {
        for field in &mut fields.named {
            let options = Options::take(field)?;
            let added = of_field(field, &options);
            let holder: syn::ItemStruct = parse_quote!(#added struct Holder;);
            field.attrs.extend(holder.attrs);
        }
    }
    Ok(quote!(#attributes #input))
}

fn request_field(field: &Field, options: &Options) -> Tokens {
    let is_optional = option_content(&field.ty).is_some();
    let mut added = Tokens::new();
    if let Some(name) = &options.rename {
        added.extend(quote!(#[deserr(rename = #name)] #[serde(rename = #name)]));
    }
    match &options.default {
        Some(DefaultValue::Given(value)) => {
            added.extend(quote!(#[deserr(default = #value)] #[schemars(default, extend("default" = #value))]));
        }
        Some(DefaultValue::OfType) => added.extend(quote!(#[deserr(default)] #[schemars(default)])),
        None if is_optional => added.extend(quote!(#[deserr(default)])),
        None => {}
    }
    if is_optional {
        added.extend(quote!(#[serde(skip_serializing_if = "Option::is_none")]));
    }
    added
}

fn answer_field(field: &Field, options: &Options) -> Tokens {
    let content = option_content(&field.ty);
    let mut added = Tokens::new();
    if let Some(name) = &options.rename {
        added.extend(quote!(#[serde(rename = #name)]));
    }
    match content {
        Some(content) if is_instant(content) => added.extend(quote! {
            #[serde(serialize_with = "::shared::domain::time::serialize_option")]
            #[schemars(with = "Option<::shared::schema::Instant>")]
        }),
        None if is_instant(&field.ty) => added.extend(quote! {
            #[serde(serialize_with = "::shared::domain::time::serialize")]
            #[schemars(with = "::shared::schema::Instant")]
        }),
        _ => {}
    }
    if content.is_some() && !has_flatten(field) {
        added.extend(quote!(#[serde(skip_serializing_if = "Option::is_none")]));
    }
    added
}

/// Whether the field is flattened. An absent flattened value has no member that could be left out.
fn has_flatten(field: &Field) -> bool {
    field.attrs.iter().any(|attribute| {
        attribute.path().is_ident("serde") && attribute.to_token_stream().to_string().contains("flatten")
    })
}

/// The value of an absent field.
enum DefaultValue {
    /// The default of the type.
    OfType,
    /// This value.
    Given(Box<syn::Expr>),
}

/// The options of a field.
#[derive(Default)]
struct Options {
    rename: Option<syn::LitStr>,
    default: Option<DefaultValue>,
}

impl Options {
    /// Removes the options from the field and parses them.
    fn take(field: &mut Field) -> syn::Result<Self> {
        let mut options = Self::default();
        let (own, others) = std::mem::take(&mut field.attrs).into_iter().partition(|a| a.path().is_ident("declare"));
        field.attrs = others;
        let own: Vec<syn::Attribute> = own;
        for attribute in own {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("rename") {
                    options.rename = Some(meta.value()?.parse()?);
                } else if meta.path.is_ident("default") {
                    options.default = Some(if meta.input.peek(syn::Token![=]) {
                        DefaultValue::Given(Box::new(meta.value()?.parse()?))
                    } else {
                        DefaultValue::OfType
                    });
                } else {
                    return Err(meta.error("the options are `rename` and `default`"));
                }
                Ok(())
            })?;
        }
        Ok(options)
    }
}

/// `T` of `Option<T>`.
fn option_content(of: &Type) -> Option<&Type> {
    let Type::Path(path) = of else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == "Option")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first()? {
        GenericArgument::Type(content) => Some(content),
        _ => None,
    }
}

fn is_instant(of: &Type) -> bool {
    matches!(of, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "DateTime"))
}
