// Reads certificate requests as Kubernetes does (ParseCSR of k8s.io/kubernetes/pkg/apis/certificates: pem.Decode, the
// block's type, x509.ParseCertificateRequest), and says what it reads.
//
// stdin has one base64 of PEM on each line; stdout one JSON object for each.
package main

import (
	"bufio"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
)

type reading struct {
	Error string `json:"error,omitempty"`
	// OID=value of each attribute, in order.
	Subject []string `json:"subject"`
	DNS     []string `json:"dns"`
	// Of 4 bytes or of 16, in hex.
	IPs []string `json:"ips"`
	// Mail addresses and URIs.
	Others []string `json:"others"`
	// SHA-256 of the public key as Go writes it.
	Key    string `json:"key"`
	Signed bool   `json:"signed"`
}

func main() {
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, 1<<20)
	output := bufio.NewWriter(os.Stdout)
	defer output.Flush()
	for input.Scan() {
		said, err := read(input.Text())
		if err != nil {
			said = reading{Error: err.Error()}
		}
		if err := json.NewEncoder(output).Encode(said); err != nil {
			panic(err)
		}
	}
}

func read(request string) (reading, error) {
	text, err := base64.StdEncoding.DecodeString(request)
	if err != nil {
		return reading{}, err
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE REQUEST" {
		return reading{}, errors.New("PEM block type must be CERTIFICATE REQUEST")
	}
	csr, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return reading{}, err
	}
	// Kubernetes signs this key, not the bytes that it was read from.
	key, err := x509.MarshalPKIXPublicKey(csr.PublicKey)
	if err != nil {
		return reading{}, err
	}
	digest := sha256.Sum256(key)
	said := reading{DNS: csr.DNSNames, Others: csr.EmailAddresses, Key: hex.EncodeToString(digest[:])}
	said.Signed = csr.CheckSignature() == nil
	for _, name := range csr.Subject.Names {
		value, _ := name.Value.(string)
		said.Subject = append(said.Subject, name.Type.String()+"="+value)
	}
	for _, ip := range csr.IPAddresses {
		said.IPs = append(said.IPs, hex.EncodeToString(ip))
	}
	for _, uri := range csr.URIs {
		said.Others = append(said.Others, uri.String())
	}
	return said, nil
}
