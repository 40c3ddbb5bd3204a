package spool

import "golang.org/x/sys/unix"

// freeOn tells how many bytes may still be written on the disk of a folder.
func freeOn(dir string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return int64(st.Bavail) * st.Bsize, nil
}
