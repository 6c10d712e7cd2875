//! What end-to-end tests share. The fixture plugin, with a named scenario for
//! each fault that a host must survive, is this package's binary
//! `outrigger-fixture-plugin`; `outrigger-fixture-plugin --list` names them.
