package observe

import (
	"encoding/binary"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

// record is a snapshot less its moment, as the engine keeps it: all texts in one string,
// each after its length. A snapshot as such has room for a dozen strings and times,
// which is more than most accounts say. The empty record is none.
type record string

// pack keeps a snapshot.
func pack(s *Snapshot) record {
	p := &s.Profile
	texts := [...]string{
		string(s.Outcome), p.ID, p.Handle, p.DisplayName, p.Bio, p.Website, p.Location, p.AvatarURL, p.BannerURL,
		p.LastPostID, s.AvatarSHA256, s.AvatarPerceptualHash, s.HolderID,
	}
	var room [512]byte
	b := room[:0]
	for _, text := range texts {
		b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
	}
	b = append(b, bit(p.Verified)|bit(p.Protected)<<1|bit(!p.LastPostAt.IsZero())<<2)
	b = binary.AppendUvarint(b, uint64(p.Unread))
	b = binary.AppendVarint(binary.AppendVarint(b, p.Followers), p.Posts)
	if !p.LastPostAt.IsZero() {
		b = binary.AppendVarint(b, p.LastPostAt.Unix())
		b = binary.AppendUvarint(b, uint64(p.LastPostAt.Nanosecond()))
	}
	return record(b)
}

func bit(set bool) byte {
	if set {
		return 1
	}
	return 0
}

// unpack is what was kept. Its texts are parts of the record, so nothing is copied.
func (r record) unpack() (s Snapshot) {
	p := &s.Profile
	s.Outcome = Outcome(r.text())
	for _, text := range [...]*string{
		&p.ID, &p.Handle, &p.DisplayName, &p.Bio, &p.Website, &p.Location, &p.AvatarURL, &p.BannerURL,
		&p.LastPostID, &s.AvatarSHA256, &s.AvatarPerceptualHash, &s.HolderID,
	} {
		*text = r.text()
	}
	bits := r[0]
	r = r[1:]
	p.Verified, p.Protected = bits&1 != 0, bits&2 != 0
	p.Unread = platform.FieldSet(r.uvarint())
	p.Followers, p.Posts = r.varint(), r.varint()
	if bits&4 != 0 {
		p.LastPostAt = time.Unix(r.varint(), int64(r.uvarint())).UTC()
	}
	return s
}

// text, uvarint and varint read the next value. Only pack writes records, so that they
// are never cut short.
func (r *record) text() string {
	n := r.uvarint()
	text := string((*r)[:n])
	*r = (*r)[n:]
	return text
}

func (r *record) uvarint() (x uint64) {
	for i := 0; ; i++ {
		b := (*r)[i]
		x |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			*r = (*r)[i+1:]
			return x
		}
	}
}

// varint is a number with its sign, as encoding/binary writes it.
func (r *record) varint() int64 {
	x := r.uvarint()
	return int64(x>>1) ^ -int64(x&1)
}

// stamp is a moment in nanoseconds since 1970, a third of a time.Time; 0: none.
type stamp int64

func stampOf(at time.Time) stamp {
	if at.IsZero() {
		return 0
	}
	return stamp(at.UnixNano())
}

func (s stamp) time() time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(s)).UTC()
}

// since is how long ago it was. It is not to be asked of none.
func (s stamp) since(now time.Time) time.Duration { return now.Sub(s.time()) }
