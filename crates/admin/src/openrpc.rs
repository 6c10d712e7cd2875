//! The document that describes the API, from the table of its methods.

use std::fmt;
use std::future::Future;

use jsonrpsee::core::RegisterMethodError;

use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde::de::{self, DeserializeOwned, Deserializer, Visitor};
use serde::{Serialize, forward_to_deserialize_any};
use serde_json::{Map, Value, json};

use crate::request::FORBIDDEN;
use crate::rpc::{
    About, Answer, Asked, DISCOVER, FAILED, INVALID, Methods, NO_CHAOS, Nothing, UNKNOWN, methods,
};
use crate::ws::{SUBSCRIBE, TOO_MANY, UNSUBSCRIBE, Unsubscribe};

/// The version of OpenRPC.
const OPENRPC: &str = "1.3.2";

const SCHEMAS: &str = "/components/schemas";

/// The API as an OpenRPC document, which `rpc.discover` answers too.
///
/// # Errors
///
/// None, as long as no method is there twice.
pub fn openrpc() -> Result<Value, RegisterMethodError> {
    let mut document = Document::new();
    methods(&mut document)?;
    let about = About {
        name: SUBSCRIBE,
        summary: "Over a WebSocket: tells what every instance is, then what happens, as \
                  `outrigger_subscription`.",
        result: "subscription",
        acts: false,
    };
    document.describe::<Nothing, u64>(about, &[(TOO_MANY, "too many subscriptions")]);
    let summary = "Over a WebSocket: ends a subscription.";
    let about = About { name: UNSUBSCRIBE, summary, result: "ended", acts: false };
    document.describe::<Unsubscribe, bool>(about, &[]);
    let summary = "This document.";
    let about = About { name: DISCOVER, summary, result: "document", acts: false };
    document.describe::<Nothing, Map<String, Value>>(about, &[]);
    // What a subscriber gets is in no result.
    document.results.subschema_for::<crate::following::Told>();
    Ok(document.finish())
}

struct Document {
    params: SchemaGenerator,
    results: SchemaGenerator,
    methods: Vec<Value>,
}

impl Document {
    fn new() -> Self {
        let settings = || {
            let mut settings = SchemaSettings::draft07();
            settings.definitions_path = SCHEMAS.into();
            settings.meta_schema = None;
            settings
        };
        Self {
            params: settings().for_deserialize().into_generator(),
            results: settings().for_serialize().into_generator(),
            methods: Vec::new(),
        }
    }

    fn describe<P: DeserializeOwned + JsonSchema, T: JsonSchema>(
        &mut self,
        about: About,
        errors: &[(i32, &str)],
    ) {
        let whole = P::json_schema(&mut self.params);
        let required = whole.get("required").and_then(Value::as_array);
        let is_required = |name: &str| required.is_some_and(|all| all.iter().any(|it| it == name));
        let params = fields::<P>().iter().map(|name| {
            let mut schema = whole.get("properties").map(|all| all[name].clone());
            let description = schema.as_mut().and_then(Value::as_object_mut);
            let description = description.and_then(|schema| schema.remove("description"));
            json!({
                "name": name,
                "description": description,
                "required": is_required(name),
                "schema": schema,
            })
        });
        let params: Vec<Value> = params.collect();
        let mut all = vec![(INVALID, "the parameters cannot be understood")];
        if params.iter().any(|param| param["name"] == "instance") {
            all.push((UNKNOWN, "there is no such instance"));
        }
        if about.acts {
            all.push((FAILED, "the host refused, and says why"));
            all.push((FORBIDDEN, "the token may only look"));
        }
        if about.name == "outrigger_chaos" {
            all.push((NO_CHAOS, "the host does not allow chaos"));
        }
        all.extend(errors);
        let errors = all.iter().map(|(code, text)| json!({ "code": code, "message": text }));
        let result: Schema = self.results.subschema_for::<T>();
        self.methods.push(json!({
            "name": about.name,
            "summary": about.summary,
            "paramStructure": "either",
            "params": params,
            "result": { "name": about.result, "schema": result },
            "errors": errors.collect::<Vec<_>>(),
        }));
    }

    fn finish(mut self) -> Value {
        let mut schemas = self.results.take_definitions(true);
        schemas.extend(self.params.take_definitions(true));
        json!({
            "openrpc": OPENRPC,
            "info": {
                "title": "Outrigger's admin API",
                "description": "Seeing and steering a running plugin host: docs/admin.md.",
                "version": env!("CARGO_PKG_VERSION"),
            },
            "methods": self.methods,
            "components": { "schemas": schemas },
        })
    }
}

impl Methods for Document {
    fn method<P, T, F>(
        &mut self,
        about: About,
        _: fn(Asked, P) -> F,
    ) -> Result<(), RegisterMethodError>
    where
        P: DeserializeOwned + JsonSchema + Send + 'static,
        T: Serialize + JsonSchema + Send + Sync + Clone + 'static,
        F: Future<Output = Answer<T>> + Send + 'static,
    {
        self.describe::<P, T>(about, &[]);
        Ok(())
    }
}

/// The fields of a struct in the order in which an array has them: a schema's are
/// sorted.
fn fields<P: DeserializeOwned>() -> &'static [&'static str] {
    let mut found: &'static [&'static str] = &[];
    // It fails once it has them.
    let _error = P::deserialize(Fields(&mut found));
    found
}

struct Fields<'a>(&'a mut &'static [&'static str]);

#[derive(Debug)]
struct Found;

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("found")
    }
}

impl std::error::Error for Found {}

impl de::Error for Found {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

impl<'de> Deserializer<'de> for Fields<'_> {
    type Error = Found;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Found> {
        Err(Found)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Found> {
        *self.0 = fields;
        Err(Found)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
