//! How ids and faults are written; the domain's types do not serialise themselves.

pub(crate) mod id {
    use lyss_domain::ChannelId;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(id: &ChannelId, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(id)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ChannelId, D::Error> {
        Box::<str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

pub(crate) mod fault {
    use lyss_domain::FaultKind;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(fault: &FaultKind, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(fault.as_str())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<FaultKind, D::Error> {
        let word = Box::<str>::deserialize(deserializer)?;
        FaultKind::parse(&word).ok_or_else(|| D::Error::custom("no such fault"))
    }
}
