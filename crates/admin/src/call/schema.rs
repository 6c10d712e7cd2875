//! Services, methods and messages as descriptors say them, and JSON in and out.

use bytes::Bytes;
use prost::Message as _;
use prost_reflect::{
    DescriptorPool, DynamicMessage, MethodDescriptor, SerializeOptions, ServiceDescriptor,
};
use prost_types::FileDescriptorSet;
use serde_json::value::RawValue;

use super::Described;
use super::bounded::Bounded;
use super::error::CallError;

/// Some services.
#[derive(Debug)]
pub(super) struct Schema(Vec<ServiceDescriptor>);

impl Schema {
    /// From a descriptor set with all that it imports.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, CallError> {
        let pool = DescriptorPool::decode(bytes)
            .map_err(|error| CallError::Descriptor(error.to_string()))?;
        let services: Vec<_> = pool.services().collect();
        if services.is_empty() {
            return Err(CallError::Descriptor("it has no services".to_owned()));
        }
        Ok(Self(services))
    }

    /// These services of a set.
    pub(super) fn of(set: FileDescriptorSet, services: &[String]) -> Result<Self, String> {
        let pool =
            DescriptorPool::from_file_descriptor_set(set).map_err(|error| error.to_string())?;
        let found = services.iter().filter_map(|name| pool.get_service_by_name(name));
        Ok(Self(found.collect()))
    }

    fn each(&self) -> impl Iterator<Item = Found> {
        let methods = self.0.iter().flat_map(ServiceDescriptor::methods);
        methods.map(|method| Found { method })
    }

    /// A method by `package.Service/Method`.
    pub(super) fn find(&self, path: &str) -> Option<Found> {
        self.each().find(|found| found.path() == path)
    }

    /// All methods' names.
    pub(super) fn names(&self) -> Vec<String> {
        self.each().map(|found| found.path()).collect()
    }

    pub(super) fn methods(&self) -> Vec<Described> {
        let described = self.each().map(|found| Described {
            method: found.path(),
            request: found.method.input().full_name().to_owned(),
            response: found.method.output().full_name().to_owned(),
            client_streams: found.method.is_client_streaming(),
            server_streams: found.method.is_server_streaming(),
        });
        described.collect()
    }
}

/// A method that was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) method: MethodDescriptor,
}

impl Found {
    /// `package.Service/Method`.
    pub(super) fn path(&self) -> String {
        format!("{}/{}", self.method.parent_service().full_name(), self.method.name())
    }

    /// The request on the wire. Unknown fields are errors: they are misspelt ones.
    pub(super) fn request(&self, json: &str) -> Result<Bytes, CallError> {
        if self.method.is_client_streaming() {
            return Err(CallError::ClientStreams { method: self.path() });
        }
        let input = self.method.input();
        let name = input.full_name().to_owned();
        let mut text = serde_json::Deserializer::from_str(json);
        let message = DynamicMessage::deserialize(input, &mut text);
        let message = message.and_then(|message| text.end().map(|()| message));
        let message = message.map_err(|error| CallError::Params {
            method: self.path(),
            message: name,
            error: error.to_string(),
        })?;
        Ok(message.encode_to_vec().into())
    }

    /// An answer as JSON, fields with default values included; `None` where that is
    /// longer than `room`. A plugin names its fields itself, so that a few bytes on the
    /// wire may be many here.
    pub(super) fn response(
        &self,
        bytes: Bytes,
        room: usize,
    ) -> Result<Option<Box<RawValue>>, CallError> {
        let output = self.method.output();
        let message = output.full_name().to_owned();
        let wrong = |error: String| CallError::Answer {
            method: self.path(),
            message: message.clone(),
            error,
        };
        let answer = DynamicMessage::decode(output.clone(), bytes)
            .map_err(|error| wrong(error.to_string()))?;
        let options = SerializeOptions::new().skip_default_fields(false);
        let mut text = Bounded::new(room);
        let written =
            answer.serialize_with_options(&mut serde_json::Serializer::new(&mut text), &options);
        if text.is_full() {
            return Ok(None);
        }
        written.map_err(|error| wrong(error.to_string()))?;
        let text = text.into_text().map_err(|error| wrong(error.to_string()))?;
        RawValue::from_string(text).map(Some).map_err(|error| wrong(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `test.Echo/Say` takes and gives `{"text", "count"}`, and `Listen` takes a stream.
    fn set() -> FileDescriptorSet {
        use prost_types::field_descriptor_proto::{Label, Type};
        use prost_types::{
            DescriptorProto, FieldDescriptorProto, FileDescriptorProto, MethodDescriptorProto,
            ServiceDescriptorProto,
        };
        let field = |name: &str, number, kind: Type| FieldDescriptorProto {
            name: Some(name.to_owned()),
            number: Some(number),
            label: Some(Label::Optional.into()),
            r#type: Some(kind.into()),
            ..FieldDescriptorProto::default()
        };
        let message = DescriptorProto {
            name: Some("Words".to_owned()),
            field: vec![field("text", 1, Type::String), field("count", 2, Type::Int32)],
            ..DescriptorProto::default()
        };
        let method = |name: &str, streams| MethodDescriptorProto {
            name: Some(name.to_owned()),
            input_type: Some(".test.Words".to_owned()),
            output_type: Some(".test.Words".to_owned()),
            client_streaming: Some(streams),
            ..MethodDescriptorProto::default()
        };
        let service = ServiceDescriptorProto {
            name: Some("Echo".to_owned()),
            method: vec![method("Say", false), method("Listen", true)],
            options: None,
        };
        let file = FileDescriptorProto {
            name: Some("test.proto".to_owned()),
            package: Some("test".to_owned()),
            message_type: vec![message],
            service: vec![service],
            syntax: Some("proto3".to_owned()),
            ..FileDescriptorProto::default()
        };
        FileDescriptorSet { file: vec![file] }
    }

    #[test]
    fn json_becomes_a_message_and_back_and_what_does_not_fit_says_where() {
        let schema = Schema::decode(&set().encode_to_vec()).unwrap();
        assert_eq!(schema.names(), ["test.Echo/Say", "test.Echo/Listen"]);
        let say = schema.find("test.Echo/Say").unwrap();
        let bytes = say.request(r#"{"text": "hi", "count": 3}"#).unwrap();
        let shown = |bytes, room| Some(say.response(bytes, room).unwrap()?.get().to_owned());
        let expected = r#"{"text":"hi","count":3}"#;
        assert_eq!(shown(bytes.clone(), expected.len()).as_deref(), Some(expected));
        assert_eq!(shown(bytes, expected.len() - 1), None);
        let empty = shown(Bytes::new(), 100);
        assert_eq!(empty.as_deref(), Some(r#"{"text":"","count":0}"#), "defaults are shown");
        for (json, expected) in [
            (r#"{"txt": "hi"}"#, "txt"),
            (r#"{"count": "many"}"#, "line 1 column"),
            ("[]", "test.Words"),
            ("{} {}", "trailing characters"),
            ("{", "EOF"),
        ] {
            let error = say.request(json).unwrap_err();
            assert!(error.is_the_caller_s() && error.to_string().contains(expected), "{error}");
        }
        let error = schema.find("test.Echo/Listen").unwrap().request("{}").unwrap_err();
        assert!(error.to_string().contains("stream of requests"), "{error}");
        assert!(schema.find("test.Echo/Absent").is_none());
    }

    #[test]
    fn what_is_no_descriptor_set_or_has_no_services_is_refused() {
        for bytes in [&b"no descriptor"[..], b""] {
            assert!(matches!(Schema::decode(bytes), Err(CallError::Descriptor(_))));
        }
    }
}
