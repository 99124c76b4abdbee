//! The known properties of the template's resources. The local stack uses some of them and ignores the cloud-only ones.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::specs::{AttributeSpec, ExpirySpec, IndexSpec, KeyPartSpec};

/// A cloud-only property: known, so that the template may have it, and ignored.
pub(crate) type CloudOnly = Option<Value>;

/// Types of cloud-only resources: permissions, logs, failure queues, alarms, notifications and deployment. Where the
/// cloud queues a failed call, the local stack logs it.
pub(crate) const CLOUD_ONLY_TYPES: [&str; 15] = [
    "AWS::Chatbot::SlackChannelConfiguration",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::IAM::Role",
    "AWS::KMS::Key",
    "AWS::Lambda::Function",
    "AWS::Logs::LogGroup",
    "AWS::Logs::MetricFilter",
    "AWS::Logs::QueryDefinition",
    "AWS::Pipes::Pipe",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::Queue",
    "AWS::SQS::QueuePolicy",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TemplateDocument {
    #[serde(rename = "AWSTemplateFormatVersion")]
    _version: CloudOnly,
    #[serde(rename = "Transform")]
    _transform: CloudOnly,
    #[serde(rename = "Description")]
    _description: CloudOnly,
    #[serde(rename = "Parameters", default)]
    pub(crate) parameters: HashMap<String, TemplateParameter>,
    #[serde(rename = "Conditions")]
    _conditions: CloudOnly,
    #[serde(rename = "Globals", default)]
    pub(crate) globals: TemplateGlobals,
    #[serde(rename = "Resources")]
    pub(crate) resources: BTreeMap<String, TemplateResource>,
    #[serde(rename = "Outputs")]
    _outputs: CloudOnly,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TemplateParameter {
    pub(crate) default: Option<Value>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct TemplateGlobals {
    #[serde(default)]
    pub(crate) function: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct TemplateResource {
    pub(crate) r#type: String,
    pub(crate) properties: Map<String, Value>,
    #[serde(rename = "Condition")]
    _condition: CloudOnly,
    #[serde(rename = "DeletionPolicy")]
    _deletion_policy: CloudOnly,
    #[serde(rename = "UpdateReplacePolicy")]
    _update_replace_policy: CloudOnly,
    #[serde(rename = "Metadata")]
    _metadata: CloudOnly,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct TableProperties {
    pub(crate) table_name: String,
    pub(crate) attribute_definitions: Vec<AttributeSpec>,
    pub(crate) key_schema: Vec<KeyPartSpec>,
    #[serde(default)]
    pub(crate) global_secondary_indexes: Vec<IndexSpec>,
    pub(crate) time_to_live_specification: Option<ExpirySpec>,
    #[serde(rename = "BillingMode")]
    _billing_mode: CloudOnly,
    #[serde(rename = "DeletionProtectionEnabled")]
    _deletion_protection: CloudOnly,
    #[serde(rename = "PointInTimeRecoverySpecification")]
    _point_in_time_recovery: CloudOnly,
    #[serde(rename = "SSESpecification")]
    _encryption: CloudOnly,
    #[serde(rename = "StreamSpecification")]
    _stream: CloudOnly,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct FunctionProperties {
    pub(crate) code_uri: String,
    pub(crate) timeout: u64,
    pub(crate) environment: FunctionEnvironment,
    #[serde(default)]
    pub(crate) events: BTreeMap<String, EventSource>,
    #[serde(rename = "Architectures")]
    _architectures: CloudOnly,
    #[serde(rename = "AutoPublishAlias")]
    _alias: CloudOnly,
    #[serde(rename = "AutoPublishAliasAllProperties")]
    _alias_all_properties: CloudOnly,
    #[serde(rename = "DeploymentPreference")]
    _deployment: CloudOnly,
    #[serde(rename = "Description")]
    _description: CloudOnly,
    #[serde(rename = "EventInvokeConfig")]
    _event_invoke: CloudOnly,
    #[serde(rename = "FunctionName")]
    _function_name: CloudOnly,
    pub(crate) function_url_config: FunctionUrlProperties,
    #[serde(rename = "Handler")]
    _handler: CloudOnly,
    #[serde(rename = "LoggingConfig")]
    _logging: CloudOnly,
    #[serde(rename = "MemorySize")]
    _memory_size: CloudOnly,
    #[serde(rename = "Role")]
    _role: CloudOnly,
    #[serde(rename = "Runtime")]
    _runtime: CloudOnly,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct FunctionUrlProperties {
    pub(crate) cors: Option<ConditionalCors>,
    #[serde(rename = "AuthType")]
    _auth_type: CloudOnly,
}

/// `Cors` under the condition that there are origins, which the local stack checks itself.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConditionalCors {
    #[serde(rename = "Fn::If")]
    pub(crate) options: (Value, CorsProperties, Value),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct CorsProperties {
    /// Separated by commas: the value of a parameter that is a list.
    pub(crate) allow_origins: String,
    pub(crate) allow_methods: Vec<String>,
    pub(crate) allow_headers: Vec<String>,
    pub(crate) expose_headers: Vec<String>,
    pub(crate) max_age: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct FunctionEnvironment {
    pub(crate) variables: HashMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, tag = "Type", content = "Properties")]
pub(crate) enum EventSource {
    EventBridgeRule(RuleProperties),
    ScheduleV2(ScheduleProperties),
}

/// A state machine: the function that it calls, and its schedules. Locally, `Stack::sweep` replaces the definition of
/// the state machine.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct StateMachineProperties {
    pub(crate) definition_substitutions: DefinitionSubstitutions,
    #[serde(default)]
    pub(crate) events: BTreeMap<String, EventSource>,
    #[serde(rename = "DefinitionUri")]
    _definition_uri: CloudOnly,
    #[serde(rename = "Name")]
    _name: CloudOnly,
    #[serde(rename = "Policies")]
    _policies: CloudOnly,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DefinitionSubstitutions {
    pub(crate) function: ResourceReference,
}

/// A reference, `!Ref Resource.Alias`.
#[derive(Deserialize)]
pub(crate) struct ResourceReference {
    #[serde(rename = "Ref")]
    pub(crate) name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct ScheduleProperties {
    pub(crate) schedule_expression: String,
    pub(crate) schedule_expression_timezone: Option<String>,
    #[serde(rename = "DeadLetterConfig")]
    _dead_letters: CloudOnly,
    #[serde(rename = "Description")]
    _description: CloudOnly,
    #[serde(rename = "Input")]
    _input: CloudOnly,
    #[serde(rename = "Name")]
    _name: CloudOnly,
    #[serde(rename = "RetryPolicy")]
    _retry_policy: CloudOnly,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct RuleProperties {
    pub(crate) pattern: EventPattern,
    #[serde(rename = "DeadLetterConfig")]
    _dead_letters: CloudOnly,
    #[serde(rename = "EventBusName")]
    _event_bus_name: CloudOnly,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct EventPattern {
    pub(crate) detail_type: Vec<String>,
    #[serde(rename = "source")]
    _source: CloudOnly,
}
