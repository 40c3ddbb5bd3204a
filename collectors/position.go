package collectors

import (
	"encoding/json"
	"log/slog"
)

// Position reads the position that the ledger keeps for a source, as JSON. It returns nil
// where the source is to be read as if for the first time: nothing is kept, or what is kept
// is none of this way in. The latter is told to logger, and no error, since it would stay
// one for ever: a source that was read another way before has that way's position.
// sound says whether a position is one of P's, and may mend it.
func Position[P any](source string, kept []byte, logger *slog.Logger, sound func(*P) bool) *P {
	if len(kept) == 0 || string(kept) == "{}" {
		return nil
	}
	p := new(P)
	if err := json.Unmarshal(kept, p); err != nil || !sound(p) {
		logger.Warn("the position that is kept is not of what is read now; the source is read as if for the first time", "source", source)
		return nil
	}
	return p
}
