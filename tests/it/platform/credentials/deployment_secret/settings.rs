//! The settings of the processes and of the template.

use std::collections::HashMap;

use harness::root;
use local::template::Template;
use shared::{
    auth::DeploymentSecret,
    config::{Config, SecretSource},
};

use super::support::{NAME, OLD, presented};

#[test]
fn the_settings_give_the_location_of_the_secret() {
    let config = |settings: &[(&str, &str)]| {
        let set =
            |name: &str| settings.iter().find(|(setting, _)| *setting == name).map(|(_, value)| (*value).to_owned());
        Config::from_lookup(|name| set(name).or_else(|| (name == "TABLE_NAME").then(|| "none".into())))
    };
    let source = |settings| config(settings).unwrap().secret;
    assert!(source(&[]).is_none());
    assert!(source(&[("CRON_SECRET", " "), ("CRON_SECRET_NAME", "")]).is_none());
    let here = |source: Option<SecretSource<DeploymentSecret>>| matches!(source, Some(SecretSource::Inline(here)) if here.matches(&presented(OLD)));
    assert!(here(source(&[("CRON_SECRET", OLD)])));
    assert!(here(source(&[("CRON_SECRET", OLD), ("CRON_SECRET_NAME", NAME)])));
    let named = source(&[("CRON_SECRET", " "), ("CRON_SECRET_NAME", NAME)]);
    assert!(matches!(named, Some(SecretSource::Managed(name)) if name == NAME));
    let refused = config(&[("CRON_SECRET", "rgl~shop~k1~secret")]).err();
    assert_eq!(refused.map(|error| error.to_string()).as_deref(), Some("CRON_SECRET has the form of an org's key"));
}

#[test]
fn the_template_gives_functions_the_name_of_the_secret_and_never_its_value() {
    let text = std::fs::read_to_string(root().join("infra/template.yaml")).unwrap();
    let template = Template::read(&text, &HashMap::new()).unwrap();
    for (name, function) in &template.functions {
        assert!(function.environment.contains_key("CRON_SECRET_NAME"), "{name}");
        assert!(!function.environment.contains_key("CRON_SECRET"), "{name}");
    }
    let grants = text.split("secretsmanager:GetSecretValue").skip(1).map(|rest| rest.lines().nth(1).unwrap());
    let to_the_secret = grants.filter(|resource| resource.contains("!Ref CronSecret")).count();
    assert_eq!(to_the_secret, template.functions.len(), "every function may read it");
}
