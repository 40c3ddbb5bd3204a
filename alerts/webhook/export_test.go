package webhook

// Sign signs as a notifier with these secrets does.
func Sign(id, at string, body []byte, secrets ...Secret) (string, error) {
	var keys [][]byte
	for _, s := range secrets {
		k, err := readKey(s)
		if err != nil {
			return "", err
		}
		keys = append(keys, k)
	}
	return sign(keys, id, at, body), nil
}
