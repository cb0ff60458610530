package feature

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/pem"
)

// Seal encrypts with a key of 32 bytes.
func Seal(key, plain []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, gcm.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	return gcm.Seal(nonce, nonce, plain, nil), nil
}

// MAC authenticates a message.
func MAC(key, message []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(message)
	return mac.Sum(nil)
}

// Key returns a new signing key, written as PEM.
func Key() ([]byte, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	return pem.EncodeToMemory(&pem.Block{Type: "ED25519 PRIVATE KEY", Bytes: private}), err
}

// Encrypt encrypts for the holder of a key.
func Encrypt(key *rsa.PublicKey, message []byte) ([]byte, error) {
	return rsa.EncryptOAEP(sha256.New(), rand.Reader, key, message, nil)
}
