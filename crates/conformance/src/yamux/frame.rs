//! The twelve bytes in front of every frame.

/// Bytes of a header.
pub(super) const BYTES: usize = 12;

/// A frame with more data is taken for garbage.
const LONGEST: u32 = 16 * 1024 * 1024;

pub(super) const SYN: u16 = 1;
pub(super) const ACK: u16 = 2;
pub(super) const FIN: u16 = 4;
pub(super) const RST: u16 = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Data,
    WindowUpdate,
    Ping,
    GoAway,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    flags: u16,
    pub(super) stream: u32,
    /// Bytes that follow, bytes granted, a ping's value, or a reason.
    pub(super) length: u32,
}

impl Header {
    pub(super) const fn new(kind: Kind, flags: u16, stream: u32, length: u32) -> Self {
        Self { kind, flags, stream, length }
    }

    pub(super) fn parse(bytes: [u8; BYTES]) -> Result<Self, String> {
        let [version, kind, f1, f0, s3, s2, s1, s0, l3, l2, l1, l0] = bytes;
        if version != 0 {
            return Err(format!("a frame of version {version}: {bytes:02x?}"));
        }
        let kind = match kind {
            0 => Kind::Data,
            1 => Kind::WindowUpdate,
            2 => Kind::Ping,
            3 => Kind::GoAway,
            kind => return Err(format!("a frame of type {kind}: {bytes:02x?}")),
        };
        let length = u32::from_be_bytes([l3, l2, l1, l0]);
        if kind == Kind::Data && length > LONGEST {
            return Err(format!("a frame of {length} bytes"));
        }
        let stream = u32::from_be_bytes([s3, s2, s1, s0]);
        Ok(Self { kind, flags: u16::from_be_bytes([f1, f0]), stream, length })
    }

    pub(super) fn bytes(self) -> [u8; BYTES] {
        let kind = match self.kind {
            Kind::Data => 0,
            Kind::WindowUpdate => 1,
            Kind::Ping => 2,
            Kind::GoAway => 3,
        };
        let [f1, f0] = self.flags.to_be_bytes();
        let [s3, s2, s1, s0] = self.stream.to_be_bytes();
        let [l3, l2, l1, l0] = self.length.to_be_bytes();
        [0, kind, f1, f0, s3, s2, s1, s0, l3, l2, l1, l0]
    }

    pub(super) const fn has(self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    /// How many bytes follow.
    pub(super) fn data_bytes(self) -> usize {
        match self.kind {
            Kind::Data => usize::try_from(self.length).unwrap_or_default(),
            Kind::WindowUpdate | Kind::Ping | Kind::GoAway => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes of docs/wire/07-multiplexed-broker.md.
    #[test]
    fn frames_have_the_bytes_that_the_book_gives() {
        let rows = [
            (Header::new(Kind::WindowUpdate, SYN, 3, 0), [0, 1, 0, 1, 0, 0, 0, 3, 0, 0, 0, 0]),
            (Header::new(Kind::WindowUpdate, ACK, 3, 0), [0, 1, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0]),
            (Header::new(Kind::Ping, SYN, 0, 42), [0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 42]),
            (Header::new(Kind::Ping, ACK, 0, 42), [0, 2, 0, 2, 0, 0, 0, 0, 0, 0, 0, 42]),
        ];
        for (header, bytes) in rows {
            assert_eq!(header.bytes(), bytes);
            assert_eq!(Header::parse(bytes), Ok(header));
        }
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        assert!(Header::parse(*b"PRI * HTTP/2").is_err());
        assert!(Header::parse([0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).is_err());
        assert!(Header::parse([0, 0, 0, 0, 0, 0, 0, 1, 255, 0, 0, 0]).is_err());
    }
}
