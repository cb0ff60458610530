package feature

import (
	"bytes"
	"encoding/base64"
	"encoding/csv"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"fmt"
)

// Encode writes a value in one of the formats by name.
func Encode(format string, value any) ([]byte, error) {
	var out bytes.Buffer
	switch format {
	case "json":
		return json.MarshalIndent(value, "", "  ")
	case "xml":
		return xml.Marshal(value)
	case "gob":
		err := gob.NewEncoder(&out).Encode(value)
		return out.Bytes(), err
	case "csv":
		rows, ok := value.([][]string)
		if !ok {
			return nil, fmt.Errorf("csv takes rows, not %T", value)
		}
		err := csv.NewWriter(&out).WriteAll(rows)
		return out.Bytes(), err
	}
	return nil, fmt.Errorf("unknown format %q", format)
}

// Opaque makes a value safe for a URL.
func Opaque(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }
