package text

import (
	"strings"
	"sync"
	"unicode"
)

// languages are those that share a script with another, by script.
var languages = [...]string{
	"ar", "fa", "ur", "ckb", "ps",
	"en", "fr", "es", "pt", "de", "it", "nl", "tr", "id", "ms", "sv",
	"ru", "uk",
}

// languageRange is a row of languages that share a script.
type languageRange struct{ from, to int }

var (
	arabicLanguages   = languageRange{0, 5}
	latinLanguages    = languageRange{5, 16}
	cyrillicLanguages = languageRange{16, 18}
)

// functionWords are words that texts of a language cannot do without.
var functionWords = map[string]string{
	"ar":  "في من على إلى الى عن مع هذا هذه ذلك التي الذي الذين أن إن كل بعد قبل بين خلال حول لدى منذ حتى أو ثم لا لم لن ما هو هي كما عبر ضمن غير وفي ومن وعلى",
	"fa":  "است در به از که این را با برای آن شد می شود های کرد بود هم یک تا بر خود باشد شما ما اما",
	"ur":  "ہے کے کی میں اور کا سے کو نے پر یہ ہیں اس نہیں کہ تھا گیا ہو لئے لیے بھی",
	"ckb": "لە بۆ و کە ئەم ئەو بە لەگەڵ ناو دەکات بوو هەیە خۆی",
	"ps":  "په د او چې کې له دی سره ته هغه شي کړی وي دا",
	"en":  "the of and to in is for on with at by from this that are be we our your you it as an will have has not or all more new join us today was were can their about which a",
	"fr":  "le la les des et en du une un est pour dans que qui sur au aux avec par nous vous ce cette sont plus pas votre notre à leur ont été mais ou",
	"es":  "el la los las de y en que un una es por con para del se su al lo como más o este esta nuestro nuestra son está muy sobre desde hoy",
	"pt":  "o os as de e em que um uma é para com do da dos das no na por se ao não mais como nosso nossa são está sobre pela pelo hoje",
	"de":  "der die das und in den von zu mit ist für auf des im ein eine nicht sich dem wir sie auch am bei nach aus ihre unser unsere werden wird sind heute",
	"it":  "il lo gli di e in che un una è per con del della dei delle nel nella si al alla sono più come non nostro nostra questo questa oggi",
	"nl":  "de het een en van in is op te dat voor met zijn aan niet ook er naar bij om onze wij we worden wordt uit vandaag deze",
	"tr":  "ve bir bu için ile da de olarak olan daha çok en gibi kadar sonra her ne var ya değil biz sizin tüm bugün ki",
	"id":  "yang dan di ke dari untuk pada dengan ini itu adalah dalam akan tidak kami anda oleh juga atau telah para bisa karena hari",
	"ms":  "yang dan di ke dari untuk pada dengan ini itu adalah dalam akan tidak kami anda oleh juga atau telah para boleh kerana hari ialah kepada bagi",
	"sv":  "och i att det som en på är av för med till den har de inte om ett vi från så kan eller vår våra idag",
	"ru":  "и в не на что с по для это из как от к мы у за о но или вы все его наш наша при до также сегодня",
	"uk":  "і в не на що з по для це із як від до ми у за про але або ви всі його наш наша при також сьогодні та є",
}

// ownLetters are letters that few languages of the script have.
var ownLetters = map[string]string{
	"ar": "ةىأإيؤك", "fa": "پچژگکی", "ur": "ٹڈڑںےہھکیگچپ", "ckb": "ێۆڕڵەڤگچپژکی", "ps": "پچژکټډړږښۍېګڼځڅۀ",
	"fr": "œçèêàùûîô", "es": "ñ¿¡", "pt": "ãõ", "de": "ßäöü", "tr": "ışğİ", "sv": "åäö",
	"ru": "ыэъё", "uk": "іїєґ",
}

// languageSet is a set of indexes of languages.
func languageSet(tag string) uint64 {
	for i, l := range languages {
		if l == tag {
			return 1 << i
		}
	}
	return 0
}

var letterLanguages = func() map[rune]uint64 {
	m := map[rune]uint64{}
	for tag, letters := range ownLetters {
		for _, r := range letters {
			m[r] |= languageSet(tag)
		}
	}
	return m
}()

var wordLanguages = sync.OnceValue(func() map[string]uint64 {
	m := map[string]uint64{}
	for tag, words := range functionWords {
		for _, w := range strings.Fields(words) {
			m[w] |= languageSet(tag)
		}
	}
	return m
})

// script is a writing system that Detect tells apart.
type script uint8

const (
	scriptNone script = iota
	scriptArabic
	scriptLatin
	scriptCyrillic
	scriptHan
	scriptKana
	scriptGreek
	scriptHebrew
	scriptDevanagari
	scriptBengali
	scriptTamil
	scriptThai
	scriptHangul
	scriptEthiopic
	scriptArmenian
	scriptGeorgian
	scripts
)

// scriptTables are the scripts with the language of those that stand for one.
var scriptTables = [scripts]struct {
	table    *unicode.RangeTable
	language string
}{
	scriptArabic: {unicode.Arabic, ""}, scriptLatin: {unicode.Latin, ""}, scriptCyrillic: {unicode.Cyrillic, ""},
	scriptHan: {unicode.Han, ""}, scriptKana: {unicode.Hiragana, ""}, scriptGreek: {unicode.Greek, "el"},
	scriptHebrew: {unicode.Hebrew, "he"}, scriptDevanagari: {unicode.Devanagari, "hi"}, scriptBengali: {unicode.Bengali, "bn"},
	scriptTamil: {unicode.Tamil, "ta"}, scriptThai: {unicode.Thai, "th"}, scriptHangul: {unicode.Hangul, "ko"},
	scriptEthiopic: {unicode.Ethiopic, "am"}, scriptArmenian: {unicode.Armenian, "hy"}, scriptGeorgian: {unicode.Georgian, "ka"},
}

func (sc script) language() string { return scriptTables[sc].language }

func scriptOf(r rune) script {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z':
		return scriptLatin
	case r >= 0x621 && r <= 0x64A:
		return scriptArabic
	case !unicode.IsLetter(r):
		return scriptNone
	case unicode.Is(unicode.Katakana, r):
		return scriptKana
	}
	for sc := scriptArabic; sc < scripts; sc++ {
		if unicode.Is(scriptTables[sc].table, r) {
			return sc
		}
	}
	return scriptNone
}
