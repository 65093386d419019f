package seed

import (
	"fmt"
	"hash/maphash"
)

// firstPlaces remembers where each resource of a load stood, in a few bytes a resource: a load
// can have millions. Keys are 128-bit hashes, so two resources are not taken for one.
type firstPlaces struct {
	seeds  [2]maphash.Seed
	places map[[2]uint64]firstPlace
	files  []string // the last one is the file being read
}

type firstPlace struct{ file, line uint32 }

func newFirstPlaces() *firstPlaces {
	return &firstPlaces{
		seeds:  [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()},
		places: map[[2]uint64]firstPlace{},
	}
}

func (p *firstPlaces) hash(key string) [2]uint64 {
	return [2]uint64{maphash.String(p.seeds[0], key), maphash.String(p.seeds[1], key)}
}

// find returns "file:line" of the resource that has this key.
func (p *firstPlaces) find(key string) (place string, ok bool) {
	at, ok := p.places[p.hash(key)]
	if !ok {
		return "", false
	}
	return fmt.Sprintf("%s:%d", p.files[at.file], at.line), true
}

func (p *firstPlaces) add(key, file string, line int) {
	if n := len(p.files); n == 0 || p.files[n-1] != file {
		p.files = append(p.files, file)
	}
	p.places[p.hash(key)] = firstPlace{uint32(len(p.files) - 1), uint32(line)}
}
