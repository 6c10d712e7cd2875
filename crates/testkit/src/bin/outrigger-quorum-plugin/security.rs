//! A TLS configuration from files, and tokens from a list.

use std::sync::Arc;

use outrigger_proto::quorum::authentication_manager_server::AuthenticationManager;
use outrigger_proto::quorum::tls_configuration::{
    Data, Request as TlsRequest, Response as TlsAnswer,
};
use outrigger_proto::quorum::tls_configuration_source_server::TlsConfigurationSource;
use outrigger_proto::quorum::{
    AuthenticationToken, GrantedAuthority, PreAuthenticatedAuthenticationToken,
};
use prost_types::Timestamp;
use serde_json::json;
use tonic::{Request, Response, Status, async_trait};

use crate::config::{Shared, Tls as Files};

/// The TLS configuration source.
pub(crate) struct Tls(pub(crate) Arc<Shared>);

/// The authentication manager.
pub(crate) struct Authentication(pub(crate) Arc<Shared>);

fn data(files: &Files) -> Result<Option<Data>, Status> {
    let (Some(certificate), Some(key)) = (&files.certificate, &files.key) else { return Ok(None) };
    let read = |path| std::fs::read(path).map_err(|error| Status::internal(error.to_string()));
    Ok(Some(Data {
        cert_pem: read(certificate)?.into(),
        key_pem: read(key)?.into(),
        cipher_suites: files.suites.clone(),
    }))
}

#[async_trait]
impl TlsConfigurationSource for Tls {
    async fn get(&self, _: Request<TlsRequest>) -> Result<Response<TlsAnswer>, Status> {
        let config = self.0.called("Get", json!({}))?;
        let Some(files) = &config.tls else {
            return Err(Status::unimplemented("no TLS is configured"));
        };
        Ok(Response::new(TlsAnswer { data: data(files)? }))
    }
}

#[async_trait]
impl AuthenticationManager for Authentication {
    async fn authenticate(
        &self,
        request: Request<AuthenticationToken>,
    ) -> Result<Response<PreAuthenticatedAuthenticationToken>, Status> {
        let raw_token = request.into_inner().raw_token;
        let text = String::from_utf8_lossy(&raw_token).into_owned();
        let config = self.0.called("Authenticate", json!({ "token": text }))?;
        let Some(tokens) = &config.tokens else {
            return Err(Status::unimplemented("no tokens are configured"));
        };
        let token = tokens.get(&text);
        let token = token.ok_or_else(|| Status::permission_denied("the token is not known"))?;
        let authority = |(service, method, raw): &(String, String, String)| GrantedAuthority {
            service: service.clone(),
            method: method.clone(),
            raw: raw.clone(),
        };
        Ok(Response::new(PreAuthenticatedAuthenticationToken {
            raw_token,
            expired_at: token.expires.map(|seconds| Timestamp { seconds, nanos: 0 }),
            authorities: token.authorities.iter().map(authority).collect(),
        }))
    }
}
