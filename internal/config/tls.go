package config

// TLS says how a server is trusted and how we show who we are. A server's certificate
// is always verified.
type TLS struct {
	// CA is a file of PEM certificates; a server's must come from one of them. Empty
	// trusts those that this machine trusts.
	CA string `yaml:"ca"`
	// Cert and Key are PEM files with our own certificate and its key, for servers that
	// ask for one. Both or neither. They are read again at each connection, so that a
	// renewed certificate needs no restart.
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
	// ServerName is the name that the server's certificate must have, where it is not
	// that of its address. Empty uses the address.
	ServerName string `yaml:"server_name"`
}

// check tells what is wrong with it; nil is well.
func (t *TLS) check(c *checker, field string) {
	if t == nil || (t.Cert == "") == (t.Key == "") {
		return
	}
	missing := "key"
	if t.Cert == "" {
		missing = "cert"
	}
	c.at(field+"."+missing, "is missing", "a certificate and its key go together: name both files, or neither")
}
