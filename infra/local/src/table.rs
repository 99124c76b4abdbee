//! The table that the template declares: created where it is missing, compared where it is there.

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

/// Makes sure that the table is there, as declared, and ready.
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
    // A minute is far more than a local engine needs, and what DynamoDB itself may take.
    for _ in 0..600 {
        let status = describe(client, &spec.name).await?.and_then(|table| table.table_status);
        if status == Some(TableStatus::Active) {
            return enable_expiry(client, spec).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bail!("the table {} did not become active within a minute", spec.name)
}

/// Has items go when their time is over. That is for a new table alone: DynamoDB refuses to be told twice.
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
