//! Creates the table that the template declares, or checks the existing one.

use std::time::Duration;

use anyhow::{Context, bail};
use aws_sdk_dynamodb::{
    Client,
    operation::describe_table::DescribeTableError,
    types::{
        AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, Projection, TableDescription,
        TableStatus, TimeToLiveSpecification,
    },
};

use crate::specs::{ExpirySpec, KeyPartSpec, TableSpec};

/// Pause between two reads of the state of a table that is being created.
const ACTIVE_POLL_INTERVAL: Duration = Duration::from_millis(100);

/// The number of polls in a minute. The embedded engine needs no poll, but DynamoDB may need all of them.
const ACTIVE_POLLS_MAX: usize = 600;

/// Ensures that the table exists as declared and is active.
///
/// Fails if DynamoDB does not answer, or if an existing table has other keys or indexes.
pub async fn ensure(client: &Client, spec: &TableSpec) -> anyhow::Result<()> {
    match describe(client, &spec.name).await? {
        Some(table) => check_schema(&table, spec),
        None => create(client, spec).await,
    }
}

async fn describe(client: &Client, name: &str) -> anyhow::Result<Option<TableDescription>> {
    match client.describe_table().table_name(name).send().await {
        Ok(answer) => Ok(answer.table),
        Err(error) => match error.as_service_error() {
            Some(DescribeTableError::ResourceNotFoundException(_)) => Ok(None),
            _ => Err(error).context("DynamoDB does not answer"),
        },
    }
}

fn check_schema(table: &TableDescription, spec: &TableSpec) -> anyhow::Result<()> {
    let actual_key = |schema: &[KeySchemaElement]| -> Vec<_> {
        schema.iter().map(|part| (part.attribute_name.clone(), part.key_type.to_string())).collect()
    };
    let declared_key = |parts: &[KeyPartSpec]| -> Vec<_> {
        parts.iter().map(|part| (part.attribute_name.clone(), part.key_type.clone())).collect()
    };
    let mut actual_indexes: Vec<_> = table
        .global_secondary_indexes()
        .iter()
        .map(|index| (index.index_name().unwrap_or_default().to_owned(), actual_key(index.key_schema())))
        .collect();
    actual_indexes.sort();
    let mut declared_indexes: Vec<_> =
        spec.indexes.iter().map(|index| (index.index_name.clone(), declared_key(&index.key_schema))).collect();
    declared_indexes.sort();
    if actual_key(table.key_schema()) == declared_key(&spec.key) && actual_indexes == declared_indexes {
        return Ok(());
    }
    bail!("the table {} has other keys or indexes than the template declares", spec.name)
}

async fn create(client: &Client, spec: &TableSpec) -> anyhow::Result<()> {
    let request = create_request(client, spec).with_context(|| spec.name.clone())?;
    request.send().await.with_context(|| spec.name.clone())?;
    for _ in 0..ACTIVE_POLLS_MAX {
        let status = describe(client, &spec.name).await?.and_then(|table| table.table_status);
        if status == Some(TableStatus::Active) {
            return enable_expiry(client, spec).await;
        }
        tokio::time::sleep(ACTIVE_POLL_INTERVAL).await;
    }
    bail!("the table {} did not become active within a minute", spec.name)
}

/// Enables the time to live of items. DynamoDB rejects a second request, so only a new table gets one.
async fn enable_expiry(client: &Client, spec: &TableSpec) -> anyhow::Result<()> {
    let Some(ExpirySpec { attribute_name, enabled }) = &spec.expiry else { return Ok(()) };
    let expiry = TimeToLiveSpecification::builder().attribute_name(attribute_name).enabled(*enabled).build();
    let expiry = expiry.with_context(|| spec.name.clone())?;
    let request = client.update_time_to_live().table_name(&spec.name).time_to_live_specification(expiry);
    request.send().await.with_context(|| spec.name.clone())?;
    Ok(())
}

type CreateTable = aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;

fn create_request(client: &Client, spec: &TableSpec) -> Result<CreateTable, aws_sdk_dynamodb::error::BuildError> {
    let mut request = client.create_table().table_name(&spec.name).billing_mode(BillingMode::PayPerRequest);
    for attribute in &spec.attributes {
        let definition = AttributeDefinition::builder()
            .attribute_name(&attribute.attribute_name)
            .attribute_type(attribute.attribute_type.as_str().into());
        request = request.attribute_definitions(definition.build()?);
    }
    for index in &spec.indexes {
        let projection = Projection::builder().projection_type(index.projection.projection_type.as_str().into());
        let index = GlobalSecondaryIndex::builder()
            .index_name(&index.index_name)
            .set_key_schema(Some(key_schema(&index.key_schema)?))
            .projection(projection.build());
        request = request.global_secondary_indexes(index.build()?);
    }
    Ok(request.set_key_schema(Some(key_schema(&spec.key)?)))
}

fn key_schema(parts: &[KeyPartSpec]) -> Result<Vec<KeySchemaElement>, aws_sdk_dynamodb::error::BuildError> {
    let element = |part: &KeyPartSpec| {
        let element = KeySchemaElement::builder().attribute_name(&part.attribute_name);
        element.key_type(part.key_type.as_str().into()).build()
    };
    parts.iter().map(element).collect()
}
