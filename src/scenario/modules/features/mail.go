package feature

import (
	"bytes"
	"fmt"
	"mime"
	"mime/multipart"
	"net/mail"
	"net/smtp"
	"net/textproto"
)

// Message is a letter with attachments.
type Message struct {
	From, To, Subject, Body string
	Attachments             map[string][]byte
}

// Bytes writes the letter as it goes over the wire.
func (m Message) Bytes() ([]byte, error) {
	for _, address := range []string{m.From, m.To} {
		if _, err := mail.ParseAddress(address); err != nil {
			return nil, fmt.Errorf("%s: %w", address, err)
		}
	}
	var out bytes.Buffer
	parts := multipart.NewWriter(&out)
	fmt.Fprintf(&out, "Subject: %s\r\n", mime.QEncoding.Encode("utf-8", m.Subject))
	fmt.Fprintf(&out, "Content-Type: multipart/mixed; boundary=%s\r\n\r\n", parts.Boundary())
	for name, data := range m.Attachments {
		part, err := parts.CreatePart(textproto.MIMEHeader{"Content-Disposition": {"attachment; filename=" + name}})
		if err != nil {
			return nil, err
		}
		if _, err := part.Write(data); err != nil {
			return nil, err
		}
	}
	err := parts.Close()
	return out.Bytes(), err
}

// Send hands the letter to a server.
func (m Message) Send(server string) error {
	letter, err := m.Bytes()
	if err != nil {
		return err
	}
	return smtp.SendMail(server, nil, m.From, []string{m.To}, letter)
}
