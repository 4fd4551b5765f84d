// Package statistics makes the figures of residents that may be told: by site,
// month, day and hour, and in detail by quarter. Nobody can learn from them, all
// of them taken together, what one resident did where few did the same.
//
// # Why nothing small can be had
//
// Three things hold for all that is told.
//
// First, everything is told once. Two kinds of figures are kept when their time
// is over and bornes have settled, and never change: of each site and month,
// visits, their hours and days, and démarches; of all sites and each quarter, the
// rest. What is shown for longer periods, or for several sites, is a sum of kept
// figures. So no two periods, no choice of sites, no page of one day and of the
// next, and no file can be subtracted from each other to give anything but kept
// figures again: there is no total that was counted apart.
//
// Second, each kept figure is its count rounded down to a multiple of [Step].
// From 0 to 4 that is 0: whether a resident was there changes nothing.
//
// Third, the hours of a month and its days are breakdowns of one total, and can
// be compared. Of breakdowns of one total only those are kept together of which
// each hidden part could still have any value from 0 to 4; see the function
// together. What is told of a breakdown says that its total lies between the sum
// of the figures and that sum with 4 more for each figure. It is enough to compare
// these bounds two by two: intervals that meet in pairs have a point in common.
// Hidden parts count as nothing in them, so the rule holds also against somebody
// who knows when the house was closed. Whoever knows of k residents in other
// hidden parts, himself perhaps, can lower the 4 by k and no more. The decision
// is made from kept figures alone. What it withholds, a small site's days as a
// rule, would be of little use: most of it was hidden.
//
// A site with less than 5 visits in a month is left out of everything that is
// told of that month. Visits in the bornes' first language are not told, nor are
// démarches begun, since each would be the rest of a total.
//
// # Today
//
// What is shown of a day while it lasts ([LiveOf]) is not kept and cannot be
// asked for later. It follows the second and the third rule: it is rounded in
// the same way, and only one breakdown is shown beside a borne's total, one that
// goes together with it. A visit counts when its hour is over: the number does not
// change because somebody has just left the borne. A total of several bornes is
// the sum of what is told of each. The first rule cannot hold of what grows:
// somebody who writes down each hour's total knows between which two of them a
// further multiple of [Step] was reached, and may compare them with what is told
// of the month.
//
// # Words
//
// What residents searched for in vain is told by month, of all sites together, and
// of longer periods as the sum of what months told: nothing is counted over three
// months at once, so a search that was made 4 times in each of them is in no figure.
// Sites that are left out of a month are left out here. Beside words, one figure is
// told that they are parts of, the searches of a quarter that found nothing. It is a
// bound only, and leaves each hidden word every value from 0 to 4: the sum of the
// told words is a multiple of 5, and not above it.
//
// Until its month is closed a search lies sealed, with its month and site alone, and
// in no backup. Then it is opened in memory; what was made less than 5 times is gone
// with all the rest, from the database's files too. Nobody is shown it before, but
// who has both the database and the hub's key could open what is not told yet.
//
// A borne takes the same search once a day, 5 of one visit and 100 of one day. So 5
// stands for five pairs of a day and a borne, and nobody passes the bar at one borne
// in one day, however often he types. It doesn't stand for five persons where one
// comes again on other days or goes from borne to borne. Many who search for the same
// at one borne on one day count once: what is told is too low, never too high, as
// long as bornes do as they are programmed to. One that was altered can tell what it
// likes, as of all counts; one that restarts takes a search once more. A search with
// an @ or with more than two digits never leaves the borne. A name may, and is told
// when five days and bornes have it.
//
// Counts of machines (faults, hours without news) say nothing of residents and
// are told as they are.
package statistics
