package link

import (
	"bytes"
	"compress/zlib"
	"io"
	"net/http"
	"strings"
	"sync"
)

// deflate is the coding of bodies that both sides know. A hub offers it in
// each answer, and a borne that has seen the offer takes it (RFC 7694): the
// names of fields and devices shrink a report by a third.
const deflate = "deflate"

var deflaters = sync.Pool{New: func() any {
	w, err := zlib.NewWriterLevel(nil, zlib.BestCompression)
	if err != nil {
		panic(err) // the level is one of the package's own
	}
	return w
}}

// deflated gives data compressed, unless that is no shorter.
func deflated(data []byte) (shorter []byte, ok bool) {
	var out bytes.Buffer
	w := deflaters.Get().(*zlib.Writer)
	defer deflaters.Put(w)
	w.Reset(&out)
	if _, err := w.Write(data); err != nil {
		return nil, false
	}
	if err := w.Close(); err != nil || out.Len() >= len(data) {
		return nil, false
	}
	return out.Bytes(), true
}

// Inflate offers bornes to take compressed bodies, and hands them to next as
// if they had come plain. next still has to bound how much of a body it reads:
// a few bytes may be a gigabyte.
func Inflate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Accept-Encoding", deflate)
		if r.Header.Get("Content-Encoding") == deflate {
			r = r.WithContext(r.Context()) // the caller's request stays as it was
			r.Header = r.Header.Clone()
			r.Header.Del("Content-Encoding")
			r.Header.Del("Content-Length")
			r.ContentLength = -1
			r.Body = &inflating{from: r.Body}
		}
		next.ServeHTTP(w, r)
	})
}

var inflaters sync.Pool // of io.ReadCloser that are zlib.Resetter

// inflating reads a compressed body. What makes no sense is an error of Read.
type inflating struct {
	from io.ReadCloser
	zlib io.ReadCloser // nil before the first Read
	err  error
}

func (i *inflating) Read(p []byte) (int, error) {
	if i.zlib == nil && i.err == nil {
		i.err = i.begin()
	}
	if i.err != nil {
		return 0, i.err
	}
	n, err := i.zlib.Read(p)
	i.err = err
	return n, err
}

func (i *inflating) begin() (err error) {
	if used, ok := inflaters.Get().(io.ReadCloser); ok {
		if err := used.(zlib.Resetter).Reset(i.from, nil); err != nil {
			return err
		}
		i.zlib = used
		return nil
	}
	i.zlib, err = zlib.NewReader(i.from)
	return err
}

// Close ends the reading, and keeps what it took for the next body.
func (i *inflating) Close() error {
	if i.zlib != nil {
		inflaters.Put(i.zlib)
		i.zlib, i.err = nil, http.ErrBodyReadAfterClose
	}
	return i.from.Close()
}

func offersDeflate(h http.Header) bool {
	for _, line := range h.Values("Accept-Encoding") {
		for coding := range strings.SplitSeq(line, ",") {
			if strings.TrimSpace(coding) == deflate {
				return true
			}
		}
	}
	return false
}
