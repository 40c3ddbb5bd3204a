package objects

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
)

// folder is a folder's files as objects: their paths below it are the keys. Links are
// followed within it and never out of it, whatever they say: all access goes through an
// os.Root.
type folder struct{ root *os.Root }

func openFolder(name string) (*folder, error) {
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, &failure{fmt.Sprintf("open folder %s: %v: make it, or give vigil the right to read and enter it", name, pathless(err)), err}
	}
	return &folder{root}, nil
}

func (f *folder) close() { _ = f.root.Close() } // nothing was written

// list walks the folders in the order of their names. A folder that can't be read fails
// it: what lies there would be missed in silence.
func (f *folder) list(ctx context.Context, prefix string, each func(object) error) error {
	start := "."
	if i := strings.LastIndexByte(prefix, '/'); i > 0 {
		start = path.Clean(prefix[:i])
	}
	return fs.WalkDir(f.root.FS(), start, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, fs.ErrNotExist):
			return nil // it went in this moment, or a date has no folder
		case errors.Is(err, fs.ErrPermission):
			return &trouble{errDenied, err}
		case err != nil:
			return err
		case entry.IsDir() && name != "." && !strings.HasPrefix(name+"/", prefix) && !strings.HasPrefix(prefix, name+"/"):
			return fs.SkipDir
		case entry.IsDir() || !strings.HasPrefix(name, prefix):
			return nil
		}
		o, err := f.stat(ctx, name)
		if err != nil {
			return nil // it is gone, is no file, or leads out of the folder
		}
		return each(o)
	})
}

func (f *folder) stat(_ context.Context, key string) (object, error) {
	info, err := f.root.Stat(key)
	if err != nil {
		return object{}, fileKind(err)
	}
	if !info.Mode().IsRegular() {
		return object{}, &trouble{errGone, errors.New("it is no file")}
	}
	changed, id := changedAt(info)
	return object{
		key: key, size: info.Size(), changed: changed, grows: true,
		version: fmt.Sprintf("%d %d %d", id, info.Size(), info.ModTime().UnixNano()),
	}, nil
}

func (f *folder) open(_ context.Context, key string) (io.ReadCloser, error) {
	// Without waiting: a pipe that took the file's name would never open.
	file, err := f.root.OpenFile(key, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fileKind(err)
	}
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(&trouble{errGone, errors.New("it is no file")}, file.Close())
	}
	return file, nil
}

func fileKind(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &trouble{errGone, err}
	case errors.Is(err, fs.ErrPermission):
		return &trouble{errDenied, err}
	}
	return err
}

// pathless is the error of package os without the path.
func pathless(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
