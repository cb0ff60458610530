package feature

import (
	"regexp"
	"sort"
	"strings"
	"unicode"
)

// Index finds texts by word.
type Index struct{ words map[string][]int }

var word = regexp.MustCompile(`[\p{L}\p{N}]+`)

// Add indexes a text under a number.
func (x *Index) Add(number int, text string) {
	if x.words == nil {
		x.words = map[string][]int{}
	}
	for _, found := range word.FindAllString(Fold(text), -1) {
		x.words[found] = append(x.words[found], number)
	}
}

// Find returns the numbers of the texts that have a word.
func (x *Index) Find(text string) []int {
	found := append([]int(nil), x.words[Fold(text)]...)
	sort.Ints(found)
	return found
}

// Fold removes the differences that do not matter to a search.
func Fold(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, text)
}
