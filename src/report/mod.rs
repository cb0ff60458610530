//! Turns a report into text or JSON. Pure: it returns strings and never prints.
