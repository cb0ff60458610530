// Package ledger holds invoices and what can be asked about them.
package ledger

import (
	"cmp"
	"fmt"
	"slices"
	"sync"

	"modules.example/geo/v2"
	"modules.example/rules"
	"modules.example/search"
	"modules.example/spelling"
)

// Invoice is one bill.
type Invoice struct {
	Number   int    `json:"number"`
	Customer string `json:"customer"`
	Cents    int64  `json:"cents"`
	Country  uint32 `json:"country"`
}

// Ledger is safe for concurrent use.
type Ledger struct {
	mutex    sync.RWMutex
	invoices []Invoice
	index    search.Index
	known    spelling.Index
}

// Example returns a ledger that is not empty.
func Example() *Ledger {
	l := &Ledger{}
	for number, customer := range []string{"Ada Example", "Grace Sample", "Linus Specimen"} {
		l.Add(Invoice{Customer: customer, Cents: int64(number+1) * 12_50, Country: uint32(number)})
	}
	return l
}

// Add records an invoice under the next number and returns it.
func (l *Ledger) Add(invoice Invoice) Invoice {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	invoice.Number = len(l.invoices) + 1
	l.invoices = append(l.invoices, invoice)
	l.index.Add(invoice.Number, invoice.Customer)
	l.known.Add(invoice.Number, spelling.Fold(invoice.Customer))
	return invoice
}

// Find returns the invoices whose customer has a word in the name; all of them for no word.
func (l *Ledger) Find(word string) []Invoice {
	l.mutex.RLock()
	defer l.mutex.RUnlock()
	if word == "" {
		return slices.Clone(l.invoices)
	}
	var found []Invoice
	for _, number := range l.index.Find(word) {
		found = append(found, l.invoices[number-1])
	}
	slices.SortFunc(found, func(a, b Invoice) int { return cmp.Compare(b.Cents, a.Cents) })
	return found
}

// Total adds up the invoices, with a formula such as `1 + 19`, in percent, for what comes on top.
func (l *Ledger) Total(formula string) (string, error) {
	var cents int64
	for _, invoice := range l.Find("") {
		cents += invoice.Cents
	}
	return rules.Evaluate(fmt.Sprintf("%d + %d * (%s) / 100", cents, cents, formula))
}

// Region names the region of an invoice where it is known.
func (i Invoice) Region() string {
	entry, found := geo.Lookup(i.Country)
	if !found {
		return "elsewhere"
	}
	return entry.Name
}
