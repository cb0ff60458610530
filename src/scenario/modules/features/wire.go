package wire

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
)

var errTruncated = errors.New("message ends too early")

func readTag(in []byte) (uint64, []byte, error) {
	value, size := binary.Uvarint(in)
	if size <= 0 {
		return 0, nil, errTruncated
	}
	return value, in[size:], nil
}

func appendBlob(out []byte, tag uint64, value []byte) []byte {
	if len(value) == 0 {
		return out
	}
	out = binary.AppendUvarint(out, tag)
	out = binary.AppendUvarint(out, uint64(len(value)))
	return append(out, value...)
}

func readBlob(in []byte) ([]byte, []byte, error) {
	size, in, err := readTag(in)
	if err != nil || size > uint64(len(in)) {
		return nil, nil, errTruncated
	}
	return slices.Clone(in[:size]), in[size:], nil
}

func appendText(out []byte, tag uint64, value string) []byte { return appendBlob(out, tag, []byte(value)) }

func readText(in []byte) (string, []byte, error) {
	value, in, err := readBlob(in)
	return string(value), in, err
}

func appendInteger(out []byte, tag uint64, value int64) []byte {
	if value == 0 {
		return out
	}
	return binary.AppendVarint(binary.AppendUvarint(out, tag), value)
}

func readInteger(in []byte) (int64, []byte, error) {
	value, size := binary.Varint(in)
	if size <= 0 {
		return 0, nil, errTruncated
	}
	return value, in[size:], nil
}

func appendFlag(out []byte, tag uint64, value bool) []byte {
	if value {
		return appendInteger(out, tag, 1)
	}
	return out
}

func readFlag(in []byte) (bool, []byte, error) {
	value, in, err := readInteger(in)
	return value != 0, in, err
}

func appendRatio(out []byte, tag uint64, value float64) []byte {
	return appendInteger(out, tag, int64(math.Float64bits(value)))
}

func readRatio(in []byte) (float64, []byte, error) {
	value, in, err := readInteger(in)
	return math.Float64frombits(uint64(value)), in, err
}

func appendTexts(out []byte, tag uint64, values []string) []byte {
	var inner []byte
	for _, value := range values {
		inner = binary.AppendUvarint(inner, uint64(len(value)))
		inner = append(inner, value...)
	}
	return appendBlob(out, tag, inner)
}

func readTexts(in []byte) (values []string, rest []byte, err error) {
	inner, rest, err := readBlob(in)
	for len(inner) > 0 && err == nil {
		var value string
		value, inner, err = readText(inner)
		values = append(values, value)
	}
	return values, rest, err
}

func appendCounts(out []byte, tag uint64, values map[string]int64) []byte {
	keys := make([]string, 0, len(values))
	for key := range values {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	var inner []byte
	for _, key := range keys {
		inner = binary.AppendUvarint(inner, uint64(len(key)))
		inner = binary.AppendVarint(append(inner, key...), values[key])
	}
	return appendBlob(out, tag, inner)
}

func readCounts(in []byte) (map[string]int64, []byte, error) {
	inner, rest, err := readBlob(in)
	values := map[string]int64{}
	for len(inner) > 0 && err == nil {
		var key string
		if key, inner, err = readText(inner); err == nil {
			values[key], inner, err = readInteger(inner)
		}
	}
	return values, rest, err
}
