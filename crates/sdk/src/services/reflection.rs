//! Server reflection, both versions of it: what a tool such as grpcurl asks a
//! plugin for.

use outrigger_proto::DESCRIPTORS;
use tonic_reflection::pb::{v1, v1alpha};
use tonic_reflection::server::{Builder, Error};

use crate::routes::Routes;

/// Grpc-go lists both, so that is what a Go host sees in a Go plugin.
const NAMES: [&str; 2] =
    [v1::server_reflection_server::SERVICE_NAME, v1alpha::server_reflection_server::SERVICE_NAME];

/// Adds reflection about everything that is in `routes`: the names of all, and
/// the descriptors of go-plugin's own services and of the sets that the author
/// gave. A service of the author's that replaces one of the two stays.
pub(crate) fn add(routes: &mut Routes, sets: &[&[u8]]) -> Result<(), Error> {
    let mut names: Vec<&str> = routes.names().chain(NAMES).collect();
    names.sort_unstable();
    names.dedup();
    let builder = || {
        let mut builder = Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTORS)
            .register_encoded_file_descriptor_set(v1::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(v1alpha::FILE_DESCRIPTOR_SET)
            .include_reflection_service(false);
        for set in sets {
            builder = builder.register_encoded_file_descriptor_set(set);
        }
        names.iter().fold(builder, |builder, name| builder.with_service_name(*name))
    };
    let (current, older) = (builder().build_v1()?, builder().build_v1alpha()?);
    let missing = NAMES.map(|name| !routes.knows(name));
    if missing[0] {
        routes.add(current);
    }
    if missing[1] {
        routes.add(older);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_that_is_none_is_refused() {
        assert!(add(&mut Routes::default(), &[b"\x0a\xffnonsense"]).is_err());
    }

    #[test]
    fn both_versions_are_added() {
        let mut routes = Routes::default();
        add(&mut routes, &[]).unwrap();
        let mut names: Vec<_> = routes.names().collect();
        names.sort_unstable();
        assert_eq!(names, NAMES);
    }
}
