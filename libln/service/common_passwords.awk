# Makes common_passwords.txt, the list of passwords that may not be set:
#
#	awk -f libln/service/common_passwords.awk | LC_ALL=C sort \
#	    >libln/service/common_passwords.txt
#
# The list is our own.  It is built from what every study of leaked passwords
# finds at the top: runs of digits, walks over the keyboard, and a small stock
# of words (names, sports, teams, cars, animals, feelings, the product's own
# name and words an operator would type), bare and with the endings that
# people add when they are asked for a digit or a sign.  Shorter than 8
# characters is refused anyway, so nothing shorter is listed.  Candidates come
# in falling likelihood; the first 3,000 different ones are taken.  All are
# lower case: the program compares without case.

function add(w)
{
	w = tolower(w)
	if (length(w) < 8 || count >= 3000 || w in seen)
		return
	seen[w] = 1
	count++
	print w
}

function add_all(list,    i, n, w)
{
	n = split(list, w, /[ \n]+/)
	for (i = 1; i <= n; i++)
		add(w[i])
}

# Every part of 8 characters and more that begins at the left end, and the
# whole backwards.
function walk(row,    i, back)
{
	back = ""
	for (i = length(row); i > 0; i--)
		back = back substr(row, i, 1)
	for (i = 8; i <= length(row); i++) {
		add(substr(row, 1, i))
		add(substr(back, 1, i))
	}
}

function cross(words, endings,    i, j, nw, ne, w, e)
{
	nw = split(words, w, /[ \n]+/)
	ne = split(endings, e, /[ \n]+/)
	for (j = 1; j <= ne; j++)
		for (i = 1; i <= nw; i++)
			add(w[i] (e[j] == "-" ? "" : e[j]))
}

BEGIN {
	add_all("password 12345678 123456789 1234567890 password1 iloveyou " \
	    "sunshine princess football baseball superman qwerty123 " \
	    "qwertyui qwertyuiop 1q2w3e4r 1q2w3e4r5t 1qaz2wsx zaq12wsx " \
	    "1qazxsw2 qazwsxedc q1w2e3r4 q1w2e3r4t5 1q2w3e4r5t6y passw0rd " \
	    "p@ssw0rd p@ssword pa55word pa$$word passwort passwort1 motdepasse " \
	    "contrasena wachtwoord welcome1 welcome123 letmein1 letmein123 " \
	    "trustno1 whatever michelle jennifer starwars computer corvette " \
	    "mercedes midnight maverick internet jordan23 steelers danielle " \
	    "victoria patricia jonathan benjamin samantha alexander " \
	    "elizabeth christopher charlotte isabella sebastian stephanie " \
	    "changeme changeme1 changeit default1 defaultpassword admin123 " \
	    "admin1234 administrator administrator1 root1234 toor1234 " \
	    "rootroot adminadmin testtest test1234 testing1 testing123 " \
	    "guest123 guest1234 user1234 username login123 secret123 " \
	    "temp1234 temppass master123 access14 blink182 bond007a " \
	    "butterfly chocolate liverpool chelsea1 arsenal1 barcelona " \
	    "realmadrid juventus manchester ferrari1 porsche1 mustang1 " \
	    "yankees1 cowboys1 lakers24 eagles12 patriots redsox04 " \
	    "hello123 hello1234 hellohello helloworld goodluck godbless " \
	    "jesus123 jesuschrist iloveyou1 iloveyou2 iloveyou3 iloveyou! " \
	    "ilovegod lovelove loveyou1 loveme123 fuckyou1 fuckyou2 " \
	    "fuckyou123 asshole1 bullshit biteme12 password! password1! " \
	    "password12 password123 password1234 password12345 " \
	    "password123! passw0rd1 passw0rd! p@ssw0rd1 p@ssw0rd123 " \
	    "p@$$w0rd p4ssw0rd passpass passphrase mypassword yourpassword " \
	    "thepassword newpassword nopassword localhost localneural " \
	    "localneural1 neural123 ollama123 openai123 chatgpt1 chatgpt123 " \
	    "server123 database mysql123 postgres oracle123 raspberry " \
	    "ubuntu123 debian123 linux123 windows1 windows10 microsoft " \
	    "google123 facebook facebook1 instagram youtube1 minecraft " \
	    "pokemon1 pokemon123 nintendo playstation xbox3600 naruto123 " \
	    "dragonball startrek gandalf1 spiderman batman123 superman1 " \
	    "iceman12 hunter12 killer123 soldier1 ranger12 wizard12 " \
	    "qwer1234 asdf1234 zxcv1234 abcd1234 abc12345 abc123456 a1234567 " \
	    "a12345678 a123456789 aa123456 aaa111222 q1234567 q12345678 " \
	    "1234qwer 1234asdf 1234abcd 123qweasd 123qwe123 qwe123qwe " \
	    "123abc123 abc123abc 12345abc 12345qwert qwert12345 " \
	    "qwerty12 qwerty1234 qwerty12345 qwerty123456 123456qwerty " \
	    "qwertyqwerty asdfasdf asdfghjkl zxcvbnm1 zxcvbnm123 asdasdasd " \
	    "asd123asd qweqweqwe zxczxczxc qweasdzxc qweasd123 qazxswedc " \
	    "qazwsx123 wsxedcrfv 1qaz1qaz 1qaz2wsx3edc 1qaz!qaz !qaz2wsx " \
	    "!qaz1qaz zaq1zaq1 zaq1xsw2 xsw21qaz zaq!2wsx")

	walk("1234567890")
	walk("12345678910")
	walk("123456789012")
	walk("0123456789")
	walk("qwertyuiop")
	walk("asdfghjkl")
	walk("qwertzuiop")
	walk("azertyuiop")
	walk("abcdefghijkl")
	walk("1q2w3e4r5t6y7u8i9o0p")
	walk("1qaz2wsx3edc4rfv5tgb")
	walk("qazwsxedcrfvtgb")
	walk("q1w2e3r4t5y6u7i8o9p0")
	walk("a1b2c3d4e5f6g7h8")
	walk("1a2b3c4d5e6f7g8h")
	walk("147258369")
	walk("741852963")
	walk("159753456")
	walk("!@#$%^&*()")
	for (d = 0; d <= 9; d++)
		for (n = 8; n <= 12; n++) {
			s = ""
			for (i = 0; i < n; i++)
				s = s d
			add(s)
		}
	add_all("11223344 1122334455 112233445566 123123123 123123123123 " \
	    "12341234 123412341234 1234512345 123451234 123454321 " \
	    "12344321 1234554321 123321123 123456654321 12345654321 " \
	    "12121212 1212121212 21212121 13131313 10101010 1010101010 " \
	    "20202020 69696969 6969696969 78787878 45454545 98989898 " \
	    "11112222 22221111 00001111 11110000 12312312 32132132 " \
	    "321321321 456456456 789456123 7894561230 789789789 147147147 " \
	    "159159159 159357159 1593572468 1472583690 963852741 " \
	    "369258147 987654321a 123456789a 12345678a 1234567a 1234567q " \
	    "123456789q 12345678q a11111111 aaaaaaaa aaaaaaaaaa qqqqqqqq " \
	    "zzzzzzzz xxxxxxxx 31415926 314159265 27182818 13579135 " \
	    "1357924680 2468101214 24681012 135792468 02468024 abcabcabc " \
	    "abcd12345 abcde12345 abcdef123 abcdefg1 abcdefg123 " \
	    "aaaa1111 1111aaaa aabbccdd a1s2d3f4 a1s2d3f4g5 z1x2c3v4 " \
	    "1z2x3c4v q2w3e4r5 w2e3r4t5 poiuytre lkjhgfds mnbvcxz1 " \
	    "mnbvcxz123 qwertasdfg asdfgzxcvb qwerasdf qwerasdfzxcv " \
	    "asdfzxcv asdfqwer zxcvasdf 1234zxcv qwerzxcv asdfg12345 " \
	    "asdfghjkl1 asdfghjkl123 poiuytrewq lkjhgfdsa")

	plain = "babygirl blessing bluebird blueberry bonjour1 bookworm " \
	    "broncos broncos1 bubbles1 building business california " \
	    "cameron cardinal carpediem celtic1888 champion cherry12 " \
	    "chicken1 chicago1 children christmas cinderella classic1 " \
	    "cleopatra coffee12 colorado cowboys creative crystal1 " \
	    "darkness december discovery dolphin dolphins dreamer1 " \
	    "einstein elephant emmanuel engineer everlast everton1 " \
	    "evolution excalibur families fantasia favorite february " \
	    "fireball firebird fireman1 fishing1 flamingo florida1 " \
	    "forever1 forever21 friendly friends1 friendship gangster " \
	    "gateway1 genesis1 gibson12 giants12 gladiator gloria12 " \
	    "godzilla goldfish goodbye1 gorgeous graduate grandma1 " \
	    "greenday guitar12 hallo123 happiness happy123 hardcore " \
	    "hawaii50 heather1 highland holiday1 homework honey123 " \
	    "hurricane icecream idontknow imagine1 infinity integra1 " \
	    "ironman1 january1 jeremiah justice1 kawasaki kingkong " \
	    "knights1 labrador ladybug1 landrover lasvegas lavender legend12 " \
	    "leonardo liberty1 lifetime lightning lollipop lovebug1 " \
	    "loveless lovely12 lucky123 lucky777 macintosh madonna1 " \
	    "magnolia marathon marlboro marvel12 matrix12 megadeth " \
	    "memories metallica millions mitchell money123 monster1 " \
	    "montreal moonlight motorola mountain myspace1 napoleon " \
	    "nirvana1 nothing1 november october1 onelove1 packers1 " \
	    "paradise paramore passion1 peaches1 peanut12 penguin1 " \
	    "philips1 picasso1 pineapple platinum popcorn1 precious " \
	    "predator presario princesa prodigy1 pumpkin1 qwerty77 " \
	    "raiders1 rainbow1 rammstein reddevil remember research " \
	    "rockstar rosebud1 sailor12 salvador santiago saturday " \
	    "scorpion scotland security september shannon1 sherlock " \
	    "shopping simpsons skateboard skittles slipknot snickers " \
	    "snowball snowboard snowman1 softball something southpark " \
	    "spartan1 special1 speedy12 spitfire sporting standard starlight " \
	    "stargate starlight1 strawberry stronger student1 sunflower " \
	    "sunday12 supernova superstar surfing1 sweetheart swordfish " \
	    "teacher1 teddybear terminator thailand thunder1 thursday " \
	    "tinkerbell titanic1 together topsecret toyota12 training " \
	    "treasure triangle trinity1 triumph1 truelove twilight " \
	    "undertaker unicorn1 universe unknown1 valencia valentine " \
	    "vampire1 vanilla1 victory1 vikings1 volkswagen volleyball " \
	    "warcraft warriors waterfall wednesday westside wildcats " \
	    "winston1 wolverine wonderful woodstock zeppelin"
	cross(plain, "-")

	stock = "password qwerty admin welcome letmein monkey dragon master " \
	    "login princess sunshine shadow ashley michael jordan superman " \
	    "batman charlie football baseball soccer hockey iloveyou " \
	    "love hello secret freedom whatever computer internet " \
	    "summer winter spring autumn flower cookie cheese ginger pepper " \
	    "tigger buster jessica jennifer thomas daniel andrew joshua " \
	    "matthew robert william george hunter killer ranger harley " \
	    "mustang yamaha ferrari samsung google orange purple silver " \
	    "golden diamond crystal phoenix falcon tiger lion eagle wolf " \
	    "bear panda kitty puppy angel heaven jesus trust access test " \
	    "testing user guest root server local neural pass abc abcd asdf " \
	    "zxcvbn qazwsx azerty q1w2e3 company office london paris berlin " \
	    "america england germany india brazil mexico canada china"
	cross(stock, "1 123 12 1234 12345 123456 1! ! 123! 01 11 69 007 99 " \
	    "2024 2025 2026 2023 @123")

	cross("alexander amanda andrea anthony antonio austin barbara " \
	    "brandon brittany camille carlos carolina caroline charlotte " \
	    "chelsea christian christina claudia danielle david dominic " \
	    "eduardo elizabeth emily fernando francesca francisco frederic " \
	    "gabriel giovanni isabelle jacob james jasmine jeremy " \
	    "johnny joseph justin katherine kimberly laura lauren leonardo " \
	    "lorenzo madison marcus margaret maria martin melissa " \
	    "miguel mohamed muhammad natalie nathan nicholas nicole oliver " \
	    "olivia patrick pauline peter philippe rachel rebecca ricardo " \
	    "richard roberto samuel sandra sarah sophia steven susanne " \
	    "taylor tiffany valentina vanessa veronica victor vincent",
	    "- 1 123")

	for (y = 1960; y <= 2012; y++) {
		add("0101" y)
		add(y "0101")
		add("3112" y)
	}

	cross(plain, "1 123")
}
