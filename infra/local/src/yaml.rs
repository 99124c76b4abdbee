//! Converts CloudFormation's YAML to JSON. Short forms (`!Ref x`) become long ones (`{"Ref": "x"}`).

use anyhow::bail;
use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};

/// Converts one document. Fails for invalid YAML, several documents, aliases, and keys that are not strings.
pub fn to_json(text: &str) -> anyhow::Result<Value> {
    let documents = Yaml::load_from_str(text)?;
    match documents.as_slice() {
        [document] => convert(document),
        _ => bail!("must be one YAML document"),
    }
}

fn convert(node: &Yaml<'_>) -> anyhow::Result<Value> {
    Ok(match node {
        Yaml::Value(scalar) => match scalar {
            Scalar::Null => Value::Null,
            Scalar::Boolean(value) => json!(value),
            Scalar::Integer(value) => json!(value),
            Scalar::FloatingPoint(value) => json!(value.into_inner()),
            Scalar::String(value) => json!(value),
        },
        Yaml::Sequence(items) => Value::Array(items.iter().map(convert).collect::<Result<_, _>>()?),
        Yaml::Mapping(entries) => {
            let mut object = Map::new();
            for (key, value) in entries {
                let Value::String(key) = convert(key)? else {
                    bail!("a key is not a string");
                };
                object.insert(key, convert(value)?);
            }
            Value::Object(object)
        }
        Yaml::Tagged(tag, inner) => {
            let inner = convert(inner)?;
            match (tag.suffix.as_str(), &inner) {
                ("Ref", _) => json!({ "Ref": inner }),
                ("GetAtt", Value::String(path)) => json!({"Fn::GetAtt": path.split('.').collect::<Vec<_>>()}),
                (name, _) => json!({ format!("Fn::{name}"): inner }),
            }
        }
        Yaml::Representation(..) | Yaml::Alias(_) | Yaml::BadValue => bail!("an alias or a malformed value"),
    })
}
