//! What each operation declares, with the schemas of its request and its answer.

use std::collections::BTreeMap;

use serde_json::Value;
use shared::{
    domain::{org_key::KeyScope, rejection::RefusalCode},
    host::{Declared, Success, Tag, Visitor},
    inbound::operation::Operation,
    schema::schemars::{
        JsonSchema, SchemaGenerator,
        generate::{Contract as Direction, SchemaSettings},
    },
};

use crate::schemas;

/// The version of the contract. It counts when fields, codes or operations are added. Nothing is ever removed.
pub const VERSION: &str = "1.0";

/// The contract of all functions.
pub struct Contract {
    /// The functions.
    pub functions: Vec<FunctionContract>,
}

/// The contract of one function.
pub struct FunctionContract {
    /// The name.
    pub name: &'static str,
    /// The operations.
    pub operations: Vec<OperationContract>,
    /// The schemas that requests and answers refer to, by name.
    pub schemas: BTreeMap<String, Value>,
}

/// The contract of one operation.
pub struct OperationContract {
    /// The name of the function.
    pub function: &'static str,
    /// The name, the route, the event and the callers.
    pub operation: Operation,
    /// The group.
    pub tag: Tag,
    /// What the operation does, in a few words.
    pub summary: &'static str,
    /// What a caller needs to know besides.
    pub description: &'static str,
    /// How the operation succeeds.
    pub success: &'static [Success],
    /// The codes with which the operation itself refuses.
    pub refusals: &'static [RefusalCode],
    /// The schema of the request: an object.
    pub request: Value,
    /// The schema of the answer: an object.
    pub answer: Value,
}

impl OperationContract {
    /// The name of the operation within all functions.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}.{}", self.function, self.operation.name)
    }

    /// The names of the fields in the path.
    #[must_use]
    pub fn path_fields(&self) -> Vec<&'static str> {
        let segments = self.operation.path.split('/');
        segments.filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}')).collect()
    }

    /// Whether the fields outside the path are in the body of an HTTP request. Otherwise they are in its query.
    #[must_use]
    pub fn has_body(&self) -> bool {
        self.operation.takes_body()
    }

    /// Each field of the request with its schema.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &Value)> {
        let properties = self.request.get("properties").and_then(Value::as_object);
        properties.into_iter().flatten().map(|(name, schema)| (name.as_str(), schema))
    }

    /// Whether a request must have the field.
    #[must_use]
    pub fn requires(&self, field: &str) -> bool {
        let required = self.request.get("required").and_then(Value::as_array);
        required.into_iter().flatten().any(|name| name == field)
    }

    /// Every code with which an HTTP request to the operation may be refused by a rule, the host's own included.
    #[must_use]
    pub fn all_refusals(&self) -> Vec<RefusalCode> {
        let mut codes = vec![
            RefusalCode::Unauthorized,
            RefusalCode::BodyTooLarge,
            RefusalCode::OtherOrg,
            RefusalCode::UnsupportedEncoding,
            RefusalCode::DuplicateField,
            RefusalCode::Invalid,
        ];
        if self.has_body() {
            codes.push(RefusalCode::UnreadableJson);
        }
        let scopes = self.operation.callers.scopes().len();
        if 0 < scopes && scopes < KeyScope::ALL.len() {
            codes.push(RefusalCode::ScopeNotAllowed);
        }
        codes.extend(self.refusals);
        codes.sort();
        codes.dedup();
        codes
    }
}

impl Contract {
    /// The contract that the declarations make.
    #[must_use]
    pub fn collect() -> Self {
        let mut collector = Collector::new();
        /// The functions of the repository, in the order of the documents.
        macro_rules! functions {
            ($($function:ident),+ $(,)?) => {
                vec![$({
                    $function::describe(&mut collector);
                    ($function::FUNCTION.name, std::mem::take(&mut collector.operations))
                }),+]
            };
        }
        let functions = functions![
            points_redemption,
            bundle_redemption,
            points_award,
            back_office,
            bundle_transitions,
            points_expiry,
            tier_recalculation,
            churn_prediction,
            weekly_report,
        ];
        let schemas = collector.definitions();
        let function = |(name, mut operations): (&'static str, Vec<OperationContract>)| {
            for operation in &mut operations {
                operation.function = name;
            }
            let roots = operations.iter().flat_map(|operation| [&operation.request, &operation.answer]);
            let schemas = schemas::reachable(roots, &schemas);
            FunctionContract { name, operations, schemas }
        };
        Self { functions: functions.into_iter().map(function).collect() }
    }

    /// Every operation.
    pub fn operations(&self) -> impl Iterator<Item = &OperationContract> {
        self.functions.iter().flat_map(|function| &function.operations)
    }
}

/// Collects declarations.
struct Collector {
    operations: Vec<OperationContract>,
    requests: SchemaGenerator,
    answers: SchemaGenerator,
}

impl Collector {
    fn new() -> Self {
        let generator = |direction: Direction| {
            let settings = SchemaSettings::draft2020_12().with(|settings| {
                settings.meta_schema = None;
                settings.definitions_path = "/components/schemas".into();
                settings.contract = direction;
            });
            settings.into_generator()
        };
        let (requests, answers) = (generator(Direction::Deserialize), generator(Direction::Serialize));
        Self { operations: Vec::new(), requests, answers }
    }

    /// The schemas that requests and answers refer to, by name.
    fn definitions(&mut self) -> BTreeMap<String, Value> {
        let answers = self.answers.take_definitions(true).into_iter().map(|(name, mut schema)| {
            schemas::tidy(&mut schema);
            schemas::without_null(&mut schema);
            (name, schema)
        });
        let requests = self.requests.take_definitions(true).into_iter().map(|(name, mut schema)| {
            schemas::tidy(&mut schema);
            schemas::fold_rules(&mut schema);
            (name, schema)
        });
        answers.chain(requests).collect()
    }
}

impl Visitor for Collector {
    fn visit<O: Declared>(&mut self) {
        let mut request = O::Request::json_schema(&mut self.requests).to_value();
        schemas::tidy(&mut request);
        schemas::fold_rules(&mut request);
        if let Some(members) = request.as_object_mut() {
            // Also where a part of the request is flattened into it, which schemars leaves open.
            members.insert("additionalProperties".to_owned(), false.into());
        }
        let mut answer = O::Answer::json_schema(&mut self.answers).to_value();
        schemas::tidy(&mut answer);
        schemas::without_null(&mut answer);
        for (schema, name) in [(&mut request, O::Request::schema_name()), (&mut answer, O::Answer::schema_name())] {
            if let Some(members) = schema.as_object_mut() {
                members.insert("title".to_owned(), name.into_owned().into());
            }
        }
        self.operations.push(OperationContract {
            function: "",
            operation: O::OPERATION,
            tag: O::TAG,
            summary: O::SUMMARY,
            description: O::DESCRIPTION,
            success: O::SUCCESS,
            refusals: O::REFUSALS,
            request,
            answer,
        });
    }
}
