//! The comma-separated fields of a `--mount` flag. [`csv_fields`] is principal.

use super::mount_error::MountError;

/// Splits at commas, as Go's `encoding/csv` does for one record.
pub(super) fn csv_fields(raw: &str) -> Result<Vec<String>, MountError> {
    let mut fields = Vec::new();
    let mut rest = raw;
    loop {
        if let Some(quoted) = rest.strip_prefix('"') {
            let mut field = String::new();
            let mut from = quoted;
            loop {
                let Some((part, after)) = from.split_once('"') else {
                    return Err(MountError::Csv("extraneous or missing \" in quoted-field".into()));
                };
                field.push_str(part);
                match after.strip_prefix('"') {
                    Some(after) => {
                        field.push('"');
                        from = after;
                    }
                    None => {
                        from = after;
                        break;
                    }
                }
            }
            fields.push(field);
            match from.strip_prefix(',') {
                Some(after) => rest = after,
                None if from.is_empty() => return Ok(fields),
                None => return Err(MountError::Csv("extraneous or missing \" in quoted-field".into())),
            }
            continue;
        }
        let (field, after) = match rest.split_once(',') {
            Some((field, after)) => (field, Some(after)),
            None => (rest, None),
        };
        if field.contains('"') {
            return Err(MountError::Csv("bare \" in non-quoted-field".into()));
        }
        fields.push(field.to_owned());
        match after {
            Some(after) => rest = after,
            None => return Ok(fields),
        }
    }
}
