package feature

import (
	"strconv"
	"strings"
)

// Title writes every word with a capital.
func Title(text string) string {
	words := strings.Fields(text)
	for i, word := range words {
		words[i] = strings.ToUpper(word[:1]) + word[1:]
	}
	return strings.Join(words, " ")
}

// Bytes writes a size as people read it.
func Bytes(size uint64) string {
	unit := 0
	for size >= 1024 && unit < 4 {
		size /= 1024
		unit++
	}
	return strconv.FormatUint(size, 10) + string("BKMGT"[unit])
}
