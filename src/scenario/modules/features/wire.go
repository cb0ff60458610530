package wire

import (
	"errors"
	"math"
	"slices"
)

var errTruncated = errors.New("message ends too early")

// Package encoding/binary would bring in package reflect.
func appendVarint(out []byte, value uint64) []byte {
	for ; value >= 1<<7; value >>= 7 {
		out = append(out, byte(value)|1<<7)
	}
	return append(out, byte(value))
}

// appendSigned writes small numbers of either sign short.
func appendSigned(out []byte, value int64) []byte {
	return appendVarint(out, uint64(value)<<1^uint64(value>>63))
}

func readTag(in []byte) (value uint64, rest []byte, err error) {
	for position, part := range in {
		shift := 7 * position
		if shift > 63 {
			break
		}
		value |= uint64(part&(1<<7-1)) << shift
		if part < 1<<7 {
			return value, in[position+1:], nil
		}
	}
	return 0, nil, errTruncated
}

func appendBlob(out []byte, tag uint64, value []byte) []byte {
	if len(value) == 0 {
		return out
	}
	out = appendVarint(out, tag)
	out = appendVarint(out, uint64(len(value)))
	return append(out, value...)
}

func readBlob(in []byte) ([]byte, []byte, error) {
	size, in, err := readTag(in)
	if err != nil || size > uint64(len(in)) {
		return nil, nil, errTruncated
	}
	return slices.Clone(in[:size]), in[size:], nil
}

func appendText(out []byte, tag uint64, value string) []byte {
	return appendBlob(out, tag, []byte(value))
}

func readText(in []byte) (string, []byte, error) {
	value, in, err := readBlob(in)
	return string(value), in, err
}

func appendInteger(out []byte, tag uint64, value int64) []byte {
	if value == 0 {
		return out
	}
	return appendSigned(appendVarint(out, tag), value)
}

func readInteger(in []byte) (int64, []byte, error) {
	value, in, err := readTag(in)
	return int64(value>>1) ^ -int64(value&1), in, err
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
		inner = appendVarint(inner, uint64(len(value)))
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
		inner = appendVarint(inner, uint64(len(key)))
		inner = appendSigned(append(inner, key...), values[key])
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
