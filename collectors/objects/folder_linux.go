package objects

import (
	"io/fs"
	"syscall"
	"time"
)

// changedAt is when a file last came to be what it is, and its inode. It is the time of
// change rather than that of the last writing, which copies keep from long ago.
func changedAt(info fs.FileInfo) (time.Time, uint64) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return info.ModTime(), 0
	}
	return time.Unix(st.Ctim.Unix()), st.Ino
}
