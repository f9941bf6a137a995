const list = (text: string): readonly string[] => text.trim().split(/\s+/);

export const WORDS = list(`
  about account after again agenda agreed all also amount and annual answer any approval april are arrange as asked at
  attached available back based because been before best between both branch brief budget build but by call can case
  change client close colleague come comments company complete concern confirm contact contract copy cost could current
  customer data date day deadline delivery department details different discuss document draft during each early edit
  end engineer enough estimate evening every example expect february feedback figures file final finance first follow
  for form forward found friday from full further general get give good group had hand has have head hear help here
  high hope hour however idea if important in include information into invoice is issue it item january join june just
  keep kind know large last late later leave legal less let letter level like line list little long look made mail main
  make manager many march market may me mean meeting member message might monday month more most move much must name
  need new next no not note notice now number of off offer office old on once one only open or order other our out over
  own page paper part pass payment people per person phone plan please point possible prepare present price print
  process product project proposal provide purchase put quarter question quick quote reach read ready reason receive
  record regards regular remind report request result return review right room round said sales same say schedule second
  see send series service set share short should show side sign since site so some soon staff start state still such
  supplier support sure system table take talk team tell than thank that the their them then there these they thing
  think this those though through thursday time to today together tomorrow too top total training travel tuesday two
  under until up update us use very visit wait want was way we wednesday week well were what when where which while who
  will wish with within without work would year yes yesterday yet you your`);

export const TOPICS = list(`
  budget contract invoice offer report agenda minutes schedule review proposal release audit workshop travel training
  onboarding delivery inspection survey forecast roadmap handover maintenance licence warranty claim tender pilot`);

export const OPENINGS = ["", "", "", "Re: ", "Re: ", "Fwd: ", "Reminder: ", "Final: ", "Draft: "] as const;

export const GIVEN_NAMES = list(`
  Ada Amir Bea Carlos Chen Dana Elif Emil Fatou Georg Hana Ines Ivan Jana Karim Lena Liam Maja Mateo Mina Nadia Noor
  Olga Omar Pia Ravi Rosa Sana Tariq Uma Vera Wen Yusuf Zoe`);

export const FAMILY_NAMES = list(`
  Adeyemi Berg Costa Dubois Eriksen Fischer Garcia Haddad Ivanova Jensen Kaya Lindqvist Moreau Novak Okafor Petrov
  Quist Rossi Singh Tanaka Ueda Vargas Weber Xu Yilmaz Zhang Müller Sørensen`);

export const DOMAINS = ["contoso.example", "contoso.example", "fabrikam.example", "tailspin.example"] as const;

export const USER_FOLDERS = list(`Projects Clients Suppliers Finance Travel Team Newsletters Reports Ideas Personal`);
