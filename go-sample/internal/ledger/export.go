package ledger

import (
	"image/color"
	"strconv"

	"modules.example/invoices"
	"modules.example/mail"
	"modules.example/picture"
	"modules.example/schema"
)

// Archive packs all invoices for download: as CSV, as JSON and with a badge.
func (l *Ledger) Archive() ([]byte, error) {
	all := l.Find("")
	rows := [][]string{{"number", "customer", "cents"}}
	for _, invoice := range all {
		rows = append(rows, []string{strconv.Itoa(invoice.Number), invoice.Customer, strconv.FormatInt(invoice.Cents, 10)})
	}
	table, err := schema.Encode("csv", rows)
	if err != nil {
		return nil, err
	}
	document, err := schema.Encode("json", all)
	if err != nil {
		return nil, err
	}
	badge, err := picture.PNG(picture.Badge(32, 32, color.RGBA{R: 0x33, G: 0x66, B: 0x99, A: 0xff}))
	if err != nil {
		return nil, err
	}
	return invoices.Zip(map[string][]byte{"invoices.csv": table, "invoices.json": document, "badge.png": badge})
}

// Letter writes the mail that goes with the archive.
func (l *Ledger) Letter(from, to string) ([]byte, error) {
	archive, err := l.Archive()
	if err != nil {
		return nil, err
	}
	letter := mail.Message{From: from, To: to, Subject: "Your invoices"}
	letter.Attachments = map[string][]byte{"invoices.zip": archive}
	return letter.Bytes()
}
